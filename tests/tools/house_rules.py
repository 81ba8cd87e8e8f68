#!/usr/bin/env python3
"""The house rules that neither the compiler nor clang-format checks, each with its reason.

    house_rules.py [ROOT]      prints one line per breach; exit code 1 if there is any
    house_rules.py --list      prints the rules

A rule is a function from a Tree to the breaches it finds. A Tree is what git would commit: paths
and their bytes. So test_house_rules.py can hand each rule a made-up tree that breaks it.
"""

import configparser
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property

COLUMNS_MAX = 100
MARKDOWN_COLUMNS_MAX = 120
BLOB_BYTES_MAX = 256 * 1024
STORED_RUN = "docs/benchmarks/publish.json"  # Every trial, so that its tables can be made again.
STORED_RUN_BYTES_MAX = 12 * 1024 * 1024
CXX = (".cpp", ".hpp", ".h", ".c")
PROSE_AND_CODE = CXX + (".py", ".sh", ".cmake", ".txt", ".proto", ".md")


@dataclass
class Tree:
    """What git would commit, and nothing of the disk besides."""

    files: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def texts(self) -> dict[str, str]:
        return {path: data.decode("utf-8", "replace") for path, data in self.files.items()
                if b"\0" not in data}

    @cached_property
    def code(self) -> dict[str, str]:
        """C and C++ without comments and literals; every character keeps its line and column."""
        return {path: blank_literals(text) for path, text in self.texts.items()
                if path.endswith(CXX)}

    def named(self, *suffixes: str) -> list[str]:
        return sorted(path for path in self.texts if path.endswith(suffixes))


def load_tree(root: pathlib.Path) -> Tree:
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listing.returncode == 0:
        paths = [os.fsdecode(path) for path in listing.stdout.split(b"\0") if path]
    else:  # An unpacked archive has no git.
        paths = [str(path.relative_to(root)) for path in root.rglob("*")
                 if not {"build", "__pycache__"} & set(path.relative_to(root).parts)]
    return Tree({path: (root / path).read_bytes() for path in paths if (root / path).is_file()})


LITERALS = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def blank_literals(text: str) -> str:
    includes = re.compile(r'^\s*#\s*include[^\n]*', re.MULTILINE)
    kept = [match.span() for match in includes.finditer(text)]

    def blank(match: re.Match) -> str:
        if any(start <= match.start() < end for start, end in kept):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())

    return LITERALS.sub(blank, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# -- The layers ------------------------------------------------------------------------------------

# Whose headers a file of each layer may include, besides those of its own.
CORE = {"core", "core/flags", "core/net", "core/server", "core/fleet", "core/etcd"}
LAYERS = {
    "core": set(),
    "core/net": {"core"},
    "core/flags": {"core"},
    "core/server": {"core", "core/flags", "core/net"},
    "core/fleet": {"core", "core/net"},
    "core/etcd": {"core", "core/net", "core/fleet", "core/server"},
    "stage1_cli": CORE,
    "stage2_jsonrpc": CORE,
    "stage3_grpc": CORE,
    "stage4_ebpf": CORE | {"stage3_grpc"},
}
STAGES = {"stage1_cli", "stage2_jsonrpc", "stage3_grpc", "stage4_ebpf"}
LAYERS |= {
    "bench/load": CORE | STAGES,
    "bench/machine": CORE,
    "bench/model": {"core", "bench/load", "bench/machine"},
    "bench/report": {"core", "bench/load", "bench/machine", "bench/model"},
    "bench/scenarios": CORE | STAGES | {"bench/load", "bench/machine", "bench/model",
                                        "bench/report"},
    "bench/commands": CORE | {"bench/load", "bench/machine", "bench/model", "bench/report",
                              "bench/scenarios"},
    "bench/floors": CORE | {"stage3_grpc"},
    "bench/micro": CORE | STAGES | {"bench/load", "bench/machine", "bench/model", "bench/report"},
    "bench/bpf": set(),
    "bench": CORE | {"bench/commands"},
}
LAYERS["tests"] = set(LAYERS)
GENERATED = (".pb.h", ".skel.h", "vmlinux.h")  # Made by the build, so they are not in the tree.


def layer_of(path: str) -> str | None:
    return next((name for name in sorted(LAYERS, key=len, reverse=True)
                 if path.startswith(name + "/")), None)


def layers(tree: Tree):
    """core <- core/flags, core/net <- core/server, core/fleet <- stages <- bench, tests: each can
    be read, and removed, without what stands to its right. In bench: load, machine <- model <-
    report <- scenarios <- commands."""
    for path, code in tree.code.items():
        own = layer_of(path)
        for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', code, re.MULTILINE):
            header, line = match.group(1), line_of(code, match.start())
            theirs = layer_of(header)
            if header.endswith(GENERATED):
                continue
            if header not in tree.files:
                yield f'{path}:{line}: "{header}" is no file seen from the repository\'s root'
            elif own and theirs != own and theirs not in LAYERS[own]:
                yield f'{path}:{line}: {own} may not include "{header}"'


def folder_includes(tree: Tree) -> dict[str, dict[str, str]]:
    """folder -> folder that it includes -> one of the lines that do."""
    edges: dict[str, dict[str, str]] = {}
    for path, code in tree.code.items():
        own = os.path.dirname(path)
        for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', code, re.MULTILINE):
            theirs = os.path.dirname(match.group(1))
            if theirs != own and match.group(1) in tree.files:
                line = f"{path}:{line_of(code, match.start())}"
                edges.setdefault(own, {}).setdefault(theirs, line)
    return edges


def no_circles(tree: Tree):
    """No circle of includes between folders: each can be understood after those that it includes,
    and there is one that can be read first."""
    edges = folder_includes(tree)

    def way(start: str, goal: str) -> list[str] | None:
        """The folders on a shortest way, both ends included."""
        before, todo = {start: None}, [start]
        for folder in todo:
            if folder == goal:
                found = [folder]
                while before[found[0]] is not None:
                    found.insert(0, before[found[0]])
                return found
            for other in sorted(edges.get(folder, {})):
                if other not in before:
                    before[other] = folder
                    todo.append(other)
        return None

    told = set()
    for folder in sorted(edges):
        for other, line in sorted(edges[folder].items()):
            back = way(other, folder)
            if back and frozenset(back) not in told:
                told.add(frozenset(back))
                yield f"{line}: a circle of includes: {' -> '.join([folder, *back])}"


def core_is_pure(tree: Tree):
    """core is the standard library only, without I/O and clock reads: so it replays anywhere."""
    banned = re.compile(
        r"#\s*include\s+<(?:[^>]*[./][^>]*|iostream|fstream|cstdio|thread|print|random)>"
        r"|\b\w*[Cc]lock::now\b")
    for path, code in tree.code.items():
        if layer_of(path) == "core":
            for match in banned.finditer(code):
                yield f"{path}:{line_of(code, match.start())}: core may not use {match.group()}"


# -- The layout of text ----------------------------------------------------------------------------

def is_kernel_style(path: str) -> bool:
    return "/bpf/" in path and path.endswith((".c", ".h"))


def is_measured(path: str, text: str) -> bool:
    return path.endswith(PROSE_AND_CODE) or text.startswith("#!")


def columns(tree: Tree):
    """Lines have 100 columns, prose 120. What cannot be wrapped is free: tables, pasted output and
    links in Markdown, raw strings in C++."""
    for path, text in tree.texts.items():
        if not is_measured(path, text):
            continue
        is_page = path.endswith(".md")
        columns_max = MARKDOWN_COLUMNS_MAX if is_page else COLUMNS_MAX
        fenced = False
        for number, line in enumerate(text.expandtabs(8).splitlines(), 1):
            fenced ^= is_page and line.lstrip().startswith("```")
            free = (fenced or re.match(r"\||.*(\]\(|https?://)", line) if is_page
                    else path.endswith(CXX) and 'R"' in line)
            if len(line) > columns_max and not free:
                yield f"{path}:{number}: {len(line)} columns"


def whitespace(tree: Tree):
    """UTF-8, LF, a final newline, no trailing space, no tab but in the kernel's own style."""
    for path, text in tree.texts.items():
        if text.encode() != tree.files[path]:
            yield f"{path}: is not UTF-8"
        if text and not text.endswith("\n"):
            yield f"{path}: does not end with a newline"
        if text.startswith("\ufeff"):
            yield f"{path}: begins with a byte order mark"
        tabs_wanted = is_kernel_style(path) or path.endswith("Makefile")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield f"{path}:{number}: ends with a space, a tab or a carriage return"
            if "\t" in line.rstrip() and not tabs_wanted:
                yield f"{path}:{number}: contains a tab"


def formatters_agree(tree: Tree):
    """.clang-format, .editorconfig and these rules say the same widths, or editors fight them."""
    editor = configparser.ConfigParser(strict=False)
    editor.read_string("[root]\n" + tree.texts.get(".editorconfig", ""))
    clang = dict(re.findall(r"^(\w+):\s*(\S+)", tree.texts.get(".clang-format", ""), re.MULTILINE))
    # Google's style, on which ours is based, indents by two.
    indent = clang.get("IndentWidth", "2" if clang.get("BasedOnStyle") == "Google" else "?")
    for section, name, must_be in [("*", "max_line_length", clang.get("ColumnLimit")),
                                   ("*", "max_line_length", str(COLUMNS_MAX)),
                                   ("*", "indent_size", indent),
                                   ("*.md", "max_line_length", str(MARKDOWN_COLUMNS_MAX))]:
        says = editor.get(section, name, fallback=None)
        if says != must_be:
            yield f".editorconfig: [{section}] {name} is {says}, elsewhere {must_be}"


# -- The code --------------------------------------------------------------------------------------

def header_guards(tree: Tree):
    """Headers begin, after their comment, with #pragma once: a guard's name can be wrong."""
    for path in tree.named(".hpp", ".h"):
        if not tree.code[path].lstrip().startswith("#pragma once"):
            yield f"{path}: does not begin with #pragma once"


# program.cpp is the frame of every main(), which prints what the others want printed.
SERVERS = (r"(?!core/net/program\.cpp)"
           r"(core|core/flags|core/net|core/server|core/fleet|core/etcd|stage[234]_\w+)/")
BANNED = [  # (where, what, why)
    (r"", r"\busing\s+namespace\s+std\s*;", "it hides whose name is called"),
    (r"", r"\bdetached\b|\bdetach\s*\(", "what nobody waits for, nobody can stop"),
    (r"", r"\bstd::endl\b", "it flushes; write '\\n' and flush where that is meant"),
    (r"", r"\b(?:s?rand|system|popen|strcpy|sprintf|gets)\s*\(",
     "hidden state, a shell or an unbounded copy"),
    (SERVERS, r"\bstd::c(?:out|err|log)\b",
     "a server's stdout is its URL and its stderr is the log"),
]
# Spelt in two halves, because this file is checked by itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def banned_code(tree: Tree):
    """Calls that this code base does without, each with its reason."""
    for path, code in tree.code.items():
        for where, what, why in BANNED:
            if not re.match(where, path):
                continue
            for match in re.finditer(what, code):
                found = match.group().strip()
                yield f"{path}:{line_of(code, match.start())}: '{found}': {why}"


def finished(tree: Tree):
    """What is in the tree is finished; what is not belongs into the tracker."""
    for path, text in tree.texts.items():
        for match in UNFINISHED.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: {match.group()}"


def exhaustive_switches(tree: Tree):
    """A switch over an enum of ours has no default: a new enumerator must not compile unnoticed."""
    enums = {name for path, code in tree.code.items() if path.startswith("core/")
             for name in re.findall(r"\benum\s+class\s+(\w+)", code)}
    for path, code in tree.code.items():
        for match in re.finditer(r"\bswitch\s*\(", code):
            body = own_labels(code, match.end())
            label = re.search(r"\bcase\s+(?:\w+::)*(\w+)::\w+\s*:", body)
            if label and label.group(1) in enums and re.search(r"\bdefault\s*:", body):
                line = line_of(code, match.start())
                yield f"{path}:{line}: the switch over {label.group(1)} has a default"


def own_labels(code: str, start: int) -> str:
    """The body of the switch whose '(' ends at `start`, without the bodies of switches in it."""
    open_brace = code.find("{", start)
    depth, end = 0, open_brace
    while 0 <= end < len(code):
        depth += {"{": 1, "}": -1}.get(code[end], 0)
        end += 1
        if depth == 0:
            break
    body = code[open_brace + 1:end - 1]
    nested = re.compile(r"\bswitch\b[^{]*\{[^{}]*\}")
    while nested.search(body):
        body = nested.sub("", body)
    return body


# -- Nothing lies about ----------------------------------------------------------------------------

def dead_sources(tree: Tree):
    """Every source is built by a CMakeLists.txt and every header is included by somebody."""
    listed, endings = set(), []
    for path in tree.named("CMakeLists.txt"):
        folder = str(pathlib.PurePosixPath(path).parent)
        for variable, name in re.findall(r"(\}/)?([\w./-]+\.(?:cpp|c|proto))\b", tree.texts[path]):
            listed.add(os.path.normpath(f"{folder}/{name}"))
            if variable:  # ${proto}/rps/v1/rps.proto
                endings.append(f"/{name}")
    included = {header for code in tree.code.values()
                for header in re.findall(r'#\s*include\s+"([^"]+)"', code)}
    for path in tree.named(".cpp", ".c", ".proto"):
        if path not in listed and not path.endswith(tuple(endings)):
            yield f"{path}: no CMakeLists.txt names it"
    for path in tree.named(".hpp", ".h"):
        if path not in included:
            yield f"{path}: nobody includes it"


def dead_scripts(tree: Tree):
    """Every script is imported, or named by the build, by a page or by another script."""
    for path in tree.named(".py", ".sh"):
        name = pathlib.PurePosixPath(path)
        stem = re.escape(name.stem if path.endswith(".py") else name.name)
        wanted = re.compile(rf"(?<![\w]){stem}(?![\w])")
        if not any(wanted.search(text) for other, text in tree.texts.items() if other != path):
            yield f"{path}: nobody runs it"


# -- The pages -------------------------------------------------------------------------------------

@dataclass
class Page:
    titles: list[str]
    headings: list[str]
    anchors: set[str]
    links: list[tuple[int, str]]  # line, target


def slug(heading: str) -> str:
    """The anchor that a heading gets when the page is shown."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def read_page(text: str) -> Page:
    page, fenced, seen = Page([], [], set(), []), False, {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        if heading := re.match(r"(#+)\s+(.*?)\s*$", line):
            name = heading.group(2)
            page.headings.append(name)
            if heading.group(1) == "#":
                page.titles.append(name)
            count = seen.setdefault(slug(name), 0)
            seen[slug(name)] += 1
            page.anchors.add(slug(name) + (f"-{count}" if count else ""))
        prose = re.sub(r"`[^`]*`", "", line)
        page.links += [(number, target) for target in re.findall(r"\]\(\s*<?([^)\s>]+)", prose)]
        page.anchors |= set(re.findall(r'<a (?:id|name)="([^"]+)"', line))
    return page


def pages_of(tree: Tree) -> dict[str, Page]:
    return {path: read_page(tree.texts[path]) for path in tree.named(".md")}


def resolve(page_path: str, target: str) -> tuple[str, str]:
    """The path and the anchor, from the root, of a link on a page."""
    path, _, anchor = target.partition("#")
    folder = os.path.dirname(page_path)
    return (os.path.normpath(os.path.join(folder, path)) if path else page_path), anchor


def is_outside(target: str) -> bool:
    return re.match(r"[a-z]+:", target) is not None


def doc_links(tree: Tree):
    """Links and anchors lead somewhere."""
    pages = pages_of(tree)
    folders = {str(parent) for path in tree.files for parent in pathlib.PurePosixPath(path).parents}
    for path, page in pages.items():
        for number, target in page.links:
            if is_outside(target):
                continue
            file, anchor = resolve(path, target)
            if file not in tree.files and file not in folders:
                yield f"{path}:{number}: {target} leads nowhere"
            elif anchor and file in pages and anchor not in pages[file].anchors:
                yield f"{path}:{number}: {target}: there is no such heading"


def doc_titles(tree: Tree):
    """A page has exactly one title."""
    for path, page in pages_of(tree).items():
        if len(page.titles) != 1:
            yield f"{path}: has {len(page.titles)} titles"


def doc_reachable(tree: Tree):
    """Every page is reached from README.md by links, so no page is forgotten by its readers."""
    pages = pages_of(tree)
    todo, seen = ["README.md"], set()
    while todo:
        path = todo.pop()
        if path in seen or path not in pages:
            continue
        seen.add(path)
        for _, target in pages[path].links:
            if not is_outside(target):
                file = resolve(path, target)[0]
                todo += [file, os.path.normpath(file + "/README.md")]
    for path in sorted(set(pages) - seen):
        yield f"{path}: no link leads here from README.md"


STAGE_HEADINGS = ["What changed since the stage before", "How a move flows", "Run it", "Limits",
                  "What it costs (measured)"]


def stage_readmes(tree: Tree):
    """Each stage's README has the same five headings: four architectures are to be compared."""
    pages = pages_of(tree)
    for stage in sorted(name for name in LAYERS if name.startswith("stage")):
        path = f"{stage}/README.md"
        if not any(file.startswith(stage + "/") for file in tree.files):
            continue
        headings = pages[path].headings[1:] if path in pages else []
        if [name for name in headings if name in STAGE_HEADINGS] != STAGE_HEADINGS:
            yield f"{path}: must have the headings " + " · ".join(STAGE_HEADINGS)


# -- What must not be in git -----------------------------------------------------------------------

def secrets_and_blobs(tree: Tree):
    """No key, no certificate, no binary, nothing large: a history never forgets them."""
    for path, data in tree.files.items():
        if path.endswith((".key", ".pem", ".crt", ".p12", ".o", ".a", ".so", ".pyc")):
            yield f"{path}: must not be in git"
        if re.search(rb"-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----", data):
            yield f"{path}: contains a key or a certificate"
        if b"\0" in data and not path.endswith((".png", ".jpg")):
            yield f"{path}: is binary"
        limit = STORED_RUN_BYTES_MAX if path == STORED_RUN else BLOB_BYTES_MAX
        if len(data) > limit:
            yield f"{path}: has {len(data)} bytes, more than {limit}"


def machine_paths(tree: Tree):
    """No path of somebody's machine: it would be wrong on every other."""
    personal = re.compile(r"(?<![\w.}])/(?:home|Users|root|work)/[\w.]+")
    for path, text in tree.texts.items():
        for match in personal.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: {match.group()}"


RULES = [layers, no_circles, core_is_pure, columns, whitespace, formatters_agree, header_guards,
         banned_code, finished, exhaustive_switches, dead_sources, dead_scripts, doc_links,
         doc_titles, doc_reachable, stage_readmes, secrets_and_blobs, machine_paths]


def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        for rule in RULES:
            print(f"{rule.__name__:20} {rule.__doc__}")
        return 0
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).parents[2]
    tree = load_tree(root)
    breaches = [f"{rule.__name__}: {breach}" for rule in RULES for breach in rule(tree)]
    print("\n".join(breaches + [f"{len(RULES)} rules, {len(tree.files)} files, "
                                f"{len(breaches)} breaches"]))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
