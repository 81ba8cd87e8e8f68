// rps-floor-nothing: what starting and reaping a process costs before it does anything. The client
// is spawn:PATH.
int main() {
  return 0;
}
