"""Random regular expressions of ECMA-262 (u flag), and texts for them. The same seed gives the same.

Of what docs/schema.md says that Firth refuses or takes otherwise there is none: look-behind is of fixed length, and no back
reference is to a group within one that is repeated."""

import random
import re

CHARACTERS = ("a", "b", "A", "k", "K", "s", "z", "0", "1", "9", "_", " ", "-", ":", ".", "=", "[", "]", "^", "!", "\n", "\t",
              "\0", "\x7f", "\xa0", "\xe4", "\xff", "\u0100", "\u017f", "\u0131", "\u03b1", "\u03a9", "\u0416", "\u1680",
              "\u2028", "\u2029", "\u212a", "\u3000", "\u4e2d", "\ufeff", "\U0001f600", "\U00010400")
SETS = ("\\d", "\\D", "\\w", "\\W", "\\s", "\\S")
PROPERTIES = ("L", "Letter", "Lu", "gc=Ll", "N", "Nd", "Zs", "P", "So", "ASCII", "Any", "Alphabetic", "White_Space", "Uppercase",
              "Script=Greek", "sc=Latn", "scx=Cyrl", "Emoji")
QUANTIFIERS = ("*", "+", "?", "{2}", "{0,2}", "{1,}", "{1,3}", "{0}", "{1}")
SYNTAX = "^$\\.*+?()[]{}|/"
LETTERS = "aabbk1:"
REFERENCE = "\ue000"  # to which group, is known at the end


class Generator:
    def __init__(self, r):
        self.r = r
        self.groups = 0  # capturing ones so far
        self.known = []  # those that may be referred to
        self.names = {}
        self.repeated = 0  # groups around, repeated ones

    def escaped(self, character):
        """One character, in one of the ways to write it."""
        code, way = ord(character), self.r.random()
        if character in SYNTAX and way < 0.8:
            return "\\" + character
        if way < 0.7 and character not in SYNTAX:
            return character
        if character in "\n\t" and way < 0.8:
            return {"\n": "\\n", "\t": "\\t"}[character]
        if code < 0x100 and way < 0.85:
            return f"\\x{code:02x}"
        if code < 0x10000 and way < 0.95:
            return f"\\u{code:04X}"
        return f"\\u{{{code:x}}}"

    def character(self):
        return self.escaped(self.r.choice(LETTERS) if self.r.random() < 0.7 else self.r.choice(CHARACTERS))

    def set(self):
        if self.r.random() < 0.6:
            return self.r.choice(SETS)
        return f"\\{self.r.choice('ppP')}{{{self.r.choice(PROPERTIES)}}}"

    def class_member(self):
        kind = self.r.random()
        if kind < 0.45:
            return self.set()
        if kind < 0.6:
            low, high = sorted((self.r.choice(CHARACTERS), self.r.choice(CHARACTERS)))
            return f"{self.in_class(low)}-{self.in_class(high)}"
        if kind < 0.65:
            return self.r.choice(("\\b", "\\v", "\\cJ", "\\0", "\\/", "\\$"))
        return self.in_class(self.r.choice(CHARACTERS))

    def in_class(self, character):
        if character in "^-]\\[" and self.r.random() < 0.7:
            return "\\" + character
        return f"\\x{ord(character):02x}" if character in "^-]\\" else \
            character if self.r.random() < 0.7 else self.escaped(character)

    def a_class(self):
        ends = ("", "", "", ":", ".", "=", "-", "[", "[:", "[.")
        first, last = self.r.choice(ends), self.r.choice(("", "", ":", ".", "=", "-"))
        members = "".join(self.class_member() for _ in range(self.r.choice((0, 1, 1, 2, 2, 3))))
        if first == "-" and not members and not last:
            members = "a"
        if self.r.random() < 0.06:
            members = self.r.choice((":alpha:", ".a.", "=a=", ":^digit:", ":word:", ":<:", ":>:"))
            first = last = ""
        return f"[{'^' if self.r.random() < 0.35 else ''}{first}{members}{last}]"

    def one(self):
        """What matches exactly one character."""
        kind = self.r.random()
        return self.character() if kind < 0.5 else self.a_class() if kind < 0.8 else self.set() if kind < 0.93 else "."

    def look_behind(self):
        alternatives = ["".join(self.one() for _ in range(self.r.randint(1, 2))) for _ in range(self.r.choice((1, 1, 2)))]
        return f"(?<{self.r.choice('=!')}{'|'.join(alternatives)})"

    def group(self, depth, repeated, capturing):
        number = None
        if capturing:
            self.groups += 1
            number = self.groups
            if not repeated and not self.repeated:
                self.known.append(number)
        self.repeated += repeated
        body = self.alternatives(depth - 1)
        self.repeated -= repeated
        if number is None:
            return f"(?:{body})"
        if self.r.random() < 0.25:
            self.names[number] = f"n{number}"
            return f"(?<n{number}>{body})"
        return f"({body})"

    def term(self, depth):
        kind = self.r.random()
        if kind < 0.06:
            return self.r.choice(("\\b", "\\B", "^", "$"))
        if kind < 0.10:
            return self.look_behind()
        if kind < 0.14 and depth > 0:
            self.repeated += 1  # what it captures is another matter
            body = self.alternatives(depth - 1)
            self.repeated -= 1
            return f"(?{self.r.choice('=!')}{body})"
        quantifier = self.r.choice(QUANTIFIERS) + self.r.choice(("", "", "?")) if self.r.random() < 0.4 else ""
        if kind < 0.35 and depth > 0:
            return self.group(depth, quantifier[:1] not in ("", "?"), self.r.random() < 0.7) + quantifier
        if kind < 0.45 and (self.groups or self.r.random() < 0.2):
            return REFERENCE + quantifier
        return self.one() + quantifier

    def alternatives(self, depth):
        return "|".join("".join(self.term(depth) for _ in range(self.r.choice((1, 1, 2, 2, 3))))
                        for _ in range(self.r.choice((1, 1, 1, 2))))

    def reference(self, behind):
        if not self.known:
            return "b"
        number = self.r.choice(self.known)
        if number in self.names and self.r.random() < 0.7:
            return f"\\k<{self.names[number]}>"
        in_group = behind[:1].isdigit() or self.r.random() < 0.1
        return f"(?:\\{number})" if in_group else f"\\{number}"

    def pattern(self):
        # A digit behind \0 would belong to it.
        return re.sub(r"\\0(?=\d)", r"\\x00", self.whole())

    def whole(self):
        if self.r.random() < 0.3:
            return f"^{self.a_class()}{self.r.choice(('', '$', '{2}$', '+$'))}"
        first, *rest = self.alternatives(3).split(REFERENCE)
        text = first + "".join(self.reference(part) + part for part in rest)
        return f"^(?:{text})$" if self.r.random() < 0.3 else f"^{text}" if self.r.random() < 0.4 else text


def patterns(seed, count):
    r = random.Random(seed)
    return [Generator(r).pattern() for _ in range(count)]


def texts(seed, count):
    """Every character by itself, and random texts."""
    r = random.Random(-seed - 1)
    some = ["".join(r.choice(LETTERS if r.random() < 0.7 else CHARACTERS) for _ in range(r.randint(0, 6))) for _ in range(count)]
    return list(CHARACTERS) + some
