#!/usr/bin/env python3
"""Makes terms/wordnet.tsv and terms/icd.tsv again; see SOURCES.md.

Needs Debian's wordnet-base and wamerican-small, and simple-icd-10-cm of PyPI.
"""

import collections
import pathlib
import re

HERE = pathlib.Path(__file__).parent / "terms"
NOUNS = "/usr/share/wordnet/%s.noun"
COMMON = "/usr/share/dict/american-english-small"

# What a concept is, by the synsets below which WordNet lists its kinds: a word of
# each, and which of its senses is meant.
ROOTS = {
    "wn-ill": "illness:1 disorder:1 ill_health:1 symptom:1 pain:1 injury:1 pathology:1 "
    "infection:1 mental_disorder:1 disability:1",
    "wn-drug": "drug:1 medicine:2 hormone:1 vaccine:1 antibiotic:1",
    "wn-proc": "medical_procedure:1 operation:3 therapy:1 surgery:4 medical_care:1",
    "wn-body": "body_part:1 organ:1 tissue:1 body_substance:1",
    "wn-prov": "health_professional:1 medical_institution:1 medical_practitioner:1 "
    "medical_science:1 hospital:1",
    "wn-repro": "pregnancy:1 birth_control:1 contraceptive:1",
    "wn-animal": "animal:1",
    "wn-food": "food:1 food:2",
    "wn-thing": "vehicle:1 clothing:1 plant:2 sport:1 game:1 device:1 building:1 "
    "money:1 payment:1 furnishing:1",
}
# Kinds of which it does not matter how sure they are.
OTHER = {"wn-animal", "wn-food", "wn-thing"}
MAX_WORDS = 3


def phrase(text):
    words = re.findall(r"[a-z0-9]+", text.lower())
    short = len("".join(words)) < 3
    return None if short or not 1 <= len(words) <= MAX_WORDS else " ".join(words)


def wordnet():
    words, kinds, senses = {}, collections.defaultdict(list), {}
    for line in open(NOUNS % "data"):
        if line.startswith("  "):
            continue
        parts = line.split(" | ")[0].split()
        count = int(parts[3], 16)
        words[parts[0]] = [parts[4 + 2 * at].lower() for at in range(count)]
        pointers = parts[5 + 2 * count:]
        for at in range(0, len(pointers) - 3, 4):
            symbol, synset, part, _ = pointers[at:at + 4]
            if symbol in ("~", "~i") and part == "n":
                kinds[parts[0]].append(synset)
    for line in open(NOUNS % "index"):
        if not line.startswith("  "):
            parts = line.split()
            senses[parts[0]] = parts[-int(parts[2]):]
    found = set()
    for name, roots in ROOTS.items():
        open_, seen = [], set()
        for root in roots.split():
            word, number = root.split(":")
            if int(number) <= len(senses.get(word, [])):
                open_.append(senses[word][int(number) - 1])
        while open_:
            synset = open_.pop()
            if synset not in seen:
                seen.add(synset)
                open_ += kinds[synset]
        for synset in seen:
            for word in words[synset]:
                own = senses.get(word, [])
                text = phrase(word.replace("_", " "))
                # A word of many meanings says little.
                if text is None or synset not in own or own.index(synset) > 0:
                    continue
                sure = "l" if name in OTHER or len(own) > 1 else "c"
                found.add((text, name, sure))
    return found


def icd():
    import simple_icd_10_cm as codes

    common = {word.strip().lower() for word in open(COMMON)}
    found = set()
    for code in codes.get_all_codes():
        texts = [codes.get_description(code)]
        try:
            texts += codes.get_inclusion_term(code)
        except ValueError:
            pass
        for text in texts:
            words = re.findall(r"[a-z]+", text.lower())
            whole = phrase(text)
            # Causes outside of the body, and factors, are in S to Z.
            if whole and code[0] < "S":
                found.add((whole, "icd", "c"))
            for word in words:
                if len(word) > 3 and word not in common:
                    found.add((word, "icd", "l"))
    return found


def write(name, terms):
    lines = ["\t".join(term) for term in sorted(terms)]
    (HERE / name).write_text("\n".join(lines) + "\n")
    print(name, len(lines))


if __name__ == "__main__":
    write("wordnet.tsv", wordnet())
    write("icd.tsv", icd())
