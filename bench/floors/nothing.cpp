// rps-floor-nothing: the floor of a process for each call, a program that ends at once. The client
// is spawn:PATH.
int main() {
  return 0;
}
