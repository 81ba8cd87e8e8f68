// Prints the HTML report of a made-up run, for those who look at it with a browser.
#include <iostream>

#include "tests/bench/html_run.hpp"

int main() {
  std::cout << rps::report::to_html(rps::report::run_with_everything(),
                                    rps::report::view_with_everything(),
                                    rps::report::floors_of_everything());
  return std::cout.flush() ? 0 : 1;
}
