"""Turns a folder of built pages into what the program carries: packed files, one .S, one sorted table.

    embed.py DIST SITE

Each file is packed with gzip, level 9, without a time stamp; what gzip does not make smaller (fonts) stays
as it is. The same pages give the same bytes, and a file that did not change is not written.
"""
import gzip
import hashlib
import json
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
# Served without a session, beside what login.json lists.
OPEN = {"login.html", "boot.js", "icon.svg", "licences.txt"}


def login_files(dist):
    """What the login page is made of: all that a stranger is given."""
    manifest = json.loads((dist / ".vite/login.json").read_text())
    files = set(OPEN)
    for chunk in manifest.values():
        files |= {chunk["file"], *chunk.get("css", []), *chunk.get("assets", [])}
    return files


def found(dist):
    """(path, file) of everything that is served, sorted as the program searches: by bytes."""
    files = [p for p in dist.rglob("*") if p.is_file() and not any(part.startswith(".") for part in p.relative_to(dist).parts)]
    return sorted((("/" + p.relative_to(dist).as_posix()), p) for p in files)


def keep(path, content):
    """Writes the file unless it is so already: what did not change is not compiled again."""
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def write(dist, site):
    site.mkdir(parents=True, exist_ok=True)
    may_see = login_files(dist)
    assembly, names, rows, written = [], [], [], set()
    for number, (path, file) in enumerate(found(dist)):
        if file.suffix not in TYPES:
            raise SystemExit(f"web: {file}: no content type is known for '{file.suffix}'; add it to web/scripts/embed.py")
        raw = file.read_bytes()
        tag = hashlib.sha256(raw).hexdigest()
        packed = gzip.compress(raw, 9, mtime=0)
        small = len(packed) < len(raw)
        blob = site / f"{number:03}{'.gz' if small else '.raw'}"
        keep(blob, packed if small else raw)
        written.add(blob.name)
        # The digest makes a change of the content a change of this text.
        assembly.append(f"\n// {path} {tag}\n.globl lightship_site_{number}\n.globl lightship_site_{number}_end\n"
                        f"lightship_site_{number}:\n.incbin \"{blob}\"\nlightship_site_{number}_end:\n")
        names.append(f"extern const char lightship_site_{number}[], lightship_site_{number}_end[];\n")
        rows.append(f"    {{\"{path}\", \"{TYPES[file.suffix]}\", \"\\\"{tag}\\\"\",\n     lightship_site_{number}, lightship_site_{number}_end, "
                    f"{len(raw)}, {'true' if small else 'false'}, {'true' if path[1:] in may_see else 'false'}}},\n")
    for stale in site.iterdir():
        if stale.suffix in (".gz", ".raw") and stale.name not in written:
            stale.unlink()
    keep(site / "site_data.S", ("// The portal's files. Made by web/scripts/embed.py.\n.section .rodata\n" + "".join(assembly) +
                                "\n.section .note.GNU-stack,\"\",@progbits\n").encode())
    keep(site / "site_table.cpp", ("// The portal's files, sorted by path. Made by web/scripts/embed.py.\n#include \"portal/site_files.h\"\n\n"
                                   "extern \"C\" {\n" + "".join(names) + "}\n\nnamespace lightship::portal {\nnamespace {\n\n"
                                   "constexpr SiteFile kTable[] = {\n" + "".join(rows) + "};\n\n}  // namespace\n\n"
                                   "const std::span<const SiteFile> kSiteFiles = kTable;\n\n}  // namespace lightship::portal\n").encode())


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
