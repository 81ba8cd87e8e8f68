"""Each house rule trips on a made-up tree that breaks it, and stays silent on one that does not."""

import unittest

import house_rules
from house_rules import Tree

EDITOR = ("root = true\n\n[*]\nmax_line_length = 100\nindent_size = 2\n"
          "[*.md]\nmax_line_length = 120\n")
GOOD = {
    "README.md": "# The game\n\nSee [the judge](core/judge.hpp), [a rule](docs/rules.md#one-rule)"
                 " and [the bench](bench).\n",
    "docs/rules.md": "# Rules\n\n## One rule\n\nNothing.\n",
    ".clang-format": "BasedOnStyle: Google\nColumnLimit: 100\n",
    ".editorconfig": EDITOR,
    "core/judge.hpp": "// The judge.\n#pragma once\n#include <array>\nenum class Error { a };\n",
    "core/judge.cpp": '#include "core/judge.hpp"\n\n// No std::cout.\nint a = 100\'000;\n',
    "core/CMakeLists.txt": "rps_library(core SOURCES judge.cpp ${proto}/a.proto)\n",
    "bench/main.cpp": '#include "core/judge.hpp"\n\nconst char* text = "std::endl";\n',
    "bench/CMakeLists.txt": "rps_binary(bench SOURCES main.cpp)\n",
}

STAGE_README = "# Stage\n\n" + "".join(f"## {name}\n\n" for name in house_rules.STAGE_HEADINGS)

# Rule, the file that breaks it, its contents, and a part of what is said about it.
BAD = [
    ("layers", "core/judge.cpp", '#include "bench/x.hpp"\n', "is no file"),
    ("layers", "core/judge.cpp", '#include "judge.hpp"\n', "is no file"),
    ("layers", "core/judge.cpp", '#include "tests/t.hpp"\n', "core may not include"),
    ("layers", "stage2_jsonrpc/a.cpp", '#include "stage1_cli/c.hpp"\n', "may not include"),
    ("layers", "stage3_grpc/a.cpp", '#include "stage4_ebpf/o.hpp"\n', "may not include"),
    ("layers", "bench/machine/a.cpp", '#include "bench/load/l.hpp"\n', "bench/machine may not"),
    ("layers", "bench/load/a.cpp", '#include "bench/model/m.hpp"\n', "bench/load may not"),
    ("layers", "bench/model/a.cpp", '#include "bench/report/r.hpp"\n', "bench/model may not"),
    ("layers", "bench/report/a.cpp", '#include "bench/scenarios/s.hpp"\n', "bench/report may not"),
    ("layers", "bench/scenarios/a.cpp", '#include "bench/commands/c.hpp"\n', "scenarios may not"),
    ("layers", "bench/main.cpp", '#include "bench/scenarios/s.hpp"\n', "bench may not include"),
    ("no_circles", "core/judge.hpp", '#pragma once\n#include "bench/b.hpp"\n',
     "bench -> core -> bench"),
    ("no_circles", "bench/load/l.hpp", '#pragma once\n#include "bench/model/m.hpp"\n',
     "bench/load -> bench/model -> bench/load"),
    ("no_circles", "bench/load/clients/c.hpp", '#pragma once\n#include "bench/model/m.hpp"\n',
     "bench/load -> bench/load/clients -> bench/model -> bench/load"),
    ("core_is_pure", "core/judge.cpp", "#include <iostream>\n", "<iostream>"),
    ("core_is_pure", "core/judge.cpp", "#include <boost/asio.hpp>\n", "boost"),
    ("core_is_pure", "core/judge.cpp", "auto now = Clock::now();\n", "Clock::now"),
    ("columns", "core/judge.cpp", "// " + "x" * 98 + "\n", "101 columns"),
    ("columns", "docs/rules.md", "# Rules\n\n" + "x" * 121 + "\n", "121 columns"),
    ("whitespace", "core/judge.cpp", "int a; \n", "ends with a space"),
    ("whitespace", "core/judge.cpp", "int a;\r\n", "carriage return"),
    ("whitespace", "core/judge.cpp", "\tint a;\n", "tab"),
    ("whitespace", "core/judge.cpp", "int a;", "newline"),
    ("whitespace", "core/judge.cpp", b"// \xff\n", "UTF-8"),
    ("formatters_agree", ".editorconfig", EDITOR.replace("100", "80"), "max_line_length is 80"),
    ("formatters_agree", ".editorconfig", EDITOR.replace("120", "72"), "[*.md] max_line_length"),
    ("formatters_agree", ".clang-format", "IndentWidth: 4\nColumnLimit: 100\n", "indent_size"),
    ("formatters_agree", ".clang-format", "BasedOnStyle: Google\nColumnLimit: 90\n", "90"),
    ("header_guards", "core/judge.hpp", "#ifndef A\n#define A\n#endif\n", "pragma once"),
    ("banned_code", "bench/main.cpp", "using namespace std;\n", "using namespace"),
    ("banned_code", "bench/main.cpp", "thread.detach();\n", "nobody can stop"),
    ("banned_code", "bench/main.cpp", "co_spawn(a, b, detached);\n", "nobody can stop"),
    ("banned_code", "stage2_jsonrpc/a.cpp", "std::cout << 1;\n", "URL"),
    ("banned_code", "bench/main.cpp", "out << std::endl;\n", "flushes"),
    ("finished", "core/judge.cpp", "// TO" "DO: write it.\n", "TO" "DO"),
    ("exhaustive_switches", "core/judge.cpp",
     "switch (e) { case Error::a: return 1; default: return 2; }\n", "over Error has a default"),
    ("exhaustive_switches", "core/judge.cpp",
     "switch (e) { case rps::Error::a: switch (i) { case 1: break; } break; default: break; }\n",
     "over Error has a default"),
    ("dead_sources", "core/lost.cpp", "int lost;\n", "no CMakeLists.txt"),
    ("dead_sources", "core/lost.hpp", "#pragma once\n", "nobody includes"),
    ("dead_scripts", "tests/forgotten.py", "pass\n", "nobody runs"),
    ("doc_links", "docs/rules.md", "# Rules\n\n[a](missing.md)\n", "leads nowhere"),
    ("doc_links", "docs/rules.md", "# Rules\n\n[a](#missing)\n", "no such heading"),
    ("doc_titles", "docs/rules.md", "# One\n\n# Two\n", "2 titles"),
    ("doc_titles", "docs/rules.md", "## None\n", "0 titles"),
    ("doc_reachable", "docs/lost.md", "# Lost\n", "no link"),
    ("stage_readmes", "stage1_cli/README.md", "# Stage\n\n## Run it\n", "must have the headings"),
    ("secrets_and_blobs", "a.pem", "", "must not"),
    ("secrets_and_blobs", "a.txt", "-----BEGIN " "PRIVATE KEY-----\n", "contains a key"),
    ("secrets_and_blobs", "a.bin", "\0", "is binary"),
    ("secrets_and_blobs", "a.txt", "x\n" * 200_000, "400000 bytes"),
    ("machine_paths", "docs/rules.md", "# R\n\nRun /ho" "me/me/rps.\n", "/me"),
]

# Rule, file and contents that look bad and are not.
FINE = [
    ("layers", "stage4_ebpf/a.cpp", '#include "observer.skel.h"\n'),
    ("layers", "tests/a.cpp", '#include "bench/b.hpp"\n'),
    ("layers", "bench/commands/a.cpp", '#include "bench/report/r.hpp"\n'),
    ("layers", "bench/model/a.cpp", '#include "bench/load/l.hpp"\n'),
    ("no_circles", "bench/model/a.cpp", '#include "bench/report/r.hpp"\n'),
    ("no_circles", "core/judge.cpp", '#include "core/judge.hpp"\n// #include "tests/t.hpp"\n'),
    ("columns", "docs/rules.md", "# R\n\n| " + "x" * 120 + " |\n\n```\n" + "x" * 121 + "\n```\n"),
    ("columns", "core/judge.cpp", 'auto text = R"(' + "x" * 100 + ')";\n'),
    ("dead_sources", "core/proto/a.proto", ""),
    ("columns", "core/judge.cpp", "// " + "─" * 97 + "\n"),
    ("whitespace", "stage4_ebpf/bpf/a.bpf.c", "\tint a;\n"),
    ("banned_code", "stage1_cli/a.cpp", "std::cout << 1;\n"),
    ("banned_code", "core/judge.cpp", "using namespace std::chrono_literals;\n"),
    ("banned_code", "core/judge.cpp", "/* using namespace std; */ auto s = R\"(std::endl)\";\n"),
    ("exhaustive_switches", "core/judge.cpp",
     "switch (i) { case 1: return 1; default: return 2; }\n"),
    ("exhaustive_switches", "core/judge.cpp",
     "switch (e) { case Error::a: switch (i) { default: break; } break; }\n"),
    ("doc_titles", "docs/rules.md", "# Rules\n\n```\n# a comment\n```\n"),
    ("doc_links", "docs/rules.md", "# Rules\n\n`[a](missing.md)` and [b](../README.md#the-game)\n"),
    ("stage_readmes", "stage1_cli/README.md", STAGE_README),
    ("machine_paths", "docs/rules.md", "# R\n\nGET /healthz, build/home/x and ./root/x\n"),
]


# The harness's layers, a header each, for the files that break or keep the rules about them.
BENCH = {
    "bench/load/l.hpp": '#pragma once\n#include "bench/load/clients/c.hpp"\n',
    "bench/load/clients/c.hpp": "#pragma once\n",
    "bench/model/m.hpp": '#pragma once\n#include "bench/load/l.hpp"\n',
    "bench/report/r.hpp": "#pragma once\n",
    "bench/scenarios/s.hpp": "#pragma once\n",
    "bench/commands/c.hpp": "#pragma once\n",
}


def tree_with(path: str, contents: str | bytes) -> Tree:
    files = GOOD | BENCH | {"bench/b.hpp": "#pragma once\n", "tests/t.hpp": "#pragma once\n",
                    "stage1_cli/c.hpp": "#pragma once\n", "stage4_ebpf/o.hpp": "#pragma once\n",
                    path: contents}
    return Tree({name: text if isinstance(text, bytes) else text.encode()
                 for name, text in files.items()})


class HouseRules(unittest.TestCase):
    def test_a_good_tree_breaks_no_rule(self):
        tree = Tree({name: text.encode() for name, text in GOOD.items()})
        for rule in house_rules.RULES:
            with self.subTest(rule.__name__):
                self.assertEqual(list(rule(tree)), [])

    def test_each_rule_trips(self):
        for name, path, contents, said in BAD:
            with self.subTest(name, said=said, contents=contents[:60]):
                breaches = list(getattr(house_rules, name)(tree_with(path, contents)))
                self.assertTrue(any(said in breach for breach in breaches), f"said {breaches}")

    def test_no_rule_trips_on_what_only_looks_bad(self):
        for name, path, contents in FINE:
            with self.subTest(name, contents=contents[:60]):
                breaches = list(getattr(house_rules, name)(tree_with(path, contents)))
                self.assertEqual([breach for breach in breaches if breach.startswith(path)], [])

    def test_every_rule_has_a_reason_and_a_test(self):
        tested = {name for name, *_ in BAD}
        for rule in house_rules.RULES:
            with self.subTest(rule.__name__):
                self.assertTrue(rule.__doc__)
                self.assertIn(rule.__name__, tested)


if __name__ == "__main__":
    unittest.main()
