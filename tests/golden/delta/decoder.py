#!/usr/bin/env python3
"""A second decoder of hone deltas, written from docs/formats/delta.md alone, standard library only.

    decoder.py BASE PATCH OUT        rebuild
    decoder.py --check FOLDER        every golden file: good ones rebuild, bad ones are refused

Slow and simple on purpose: it is the proof that the document says everything.
"""
import hashlib
import re
import sys
from pathlib import Path

M32 = 2**32 - 1
# bits, exponent bits, unsigned
TYPES = [(32, 8, 0), (16, 5, 0), (16, 8, 0), (64, 11, 0), (8, 0, 0), (8, 0, 1), (16, 0, 0), (32, 0, 0)]
T = [22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514]
RATE = [(4096 // (2 * n + 3) + 1) // 2 for n in range(256)]


class Damaged(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Damaged(what)


def squash(x):
    u = x + 2048
    return T[u >> 7] + ((T[(u >> 7) + 1] - T[u >> 7]) * (u & 127) >> 7)


def make_stretch():
    out, x = [], -2047
    for p in range(4096):
        while x < 2047 and squash(x) >> 4 < p:
            x += 1
        out.append(x)
    return out


STRETCH = make_stretch()


def fp32(bits):
    """The value, as a fraction of 2^-149."""
    exponent, mantissa = bits >> 23 & 255, bits & 0x7FFFFF
    size = mantissa if exponent == 0 else (mantissa | 0x800000) << (exponent - 1)
    return -size if bits >> 31 else size


def to_fp32(value):
    """Of a fraction of 2^-149: rounded to nearest, ties to even."""
    size = abs(value)
    drop = max(size.bit_length() - 24, 0)
    kept, rest = size >> drop, size & (1 << drop) - 1
    if drop and (2 * rest > 1 << drop or 2 * rest == 1 << drop and kept & 1):
        kept += 1
    bits = min((drop << 23) + kept, 0x7F800000)
    return bits | (0x80000000 if value < 0 else 0)


def moved(element, k, scale):
    if k == 0:
        return element
    bits = int.from_bytes(element, "little")
    require(abs(k) < 2**24 and bits >> 23 & 255 != 255, "steps")
    return to_fp32(fp32(bits) + (k << (149 - scale))).to_bytes(4, "little")


class Decoder:
    def __init__(self, base, patch):
        self.base, self.patch, self.out = base, patch, bytearray()

    def run(self):
        p = self.patch
        require(len(p) >= 88 and p[:4] == b"HNDL", "not a patch")
        require(p[4] == 1, "unknown version")
        require(p[5] <= 1 and p[6] in (0, *range(12, 21)) and p[7] == 0, "header")
        sizes = [int.from_bytes(p[at:at + 8], "little") for at in (8, 16)]
        require(max(sizes) <= 2**40, "header")
        require(len(self.base) == sizes[0] and hashlib.sha256(self.base).digest() == p[24:56], "wrong base")
        self.size, self.standard, self.at = sizes[1], p[5] == 1, 88
        self.block = 0
        if p[6]:
            require(len(p) >= 100, "header")
            self.at, self.block = 100, 2 ** p[6]
            self.moved = int.from_bytes(p[88:92], "little") * self.block
            require(self.moved < sizes[0] + self.block, "header")
            require(hashlib.sha256(p[:92] + p[100:]).digest()[:8] == p[92:100], "check")
        self.make_counters()
        if self.size:
            self.range, self.code = M32, 0
            for _ in range(4):
                self.code = self.code << 8 | self.next_byte()
            while len(self.out) < self.size:
                self.operation()
        require(self.at == len(p), "trailing bytes")
        require(hashlib.sha256(self.out).digest() == p[56:88], "wrong target")
        return bytes(self.out)

    # whether the base's byte at p is still there when the target's byte at t is made
    def reaches(self, p, t):
        return not self.block or p + self.moved >= t // self.block * self.block

    def make_counters(self):
        standard = self.standard
        self.classes, self.run_levels, self.levels, self.distances = (32, 16, 9, 4) if standard else (8, 8, 1, 1)
        self.step_levels, self.components = (8, 8) if standard else (4, 1)
        # Made as they are met: (name, where) -> [probability, count]
        self.counters, self.weights = {}, {}
        self.last_kind = self.base_next = 0
        self.last_type = None
        self.reps = [len(self.base) or 1] * 4
        self.state = self.before = 0

    # the range coder
    def next_byte(self):
        require(self.at < len(self.patch), "truncated")
        self.at += 1
        return self.patch[self.at - 1]

    def normalize(self):
        while self.range < 1 << 24:
            self.range = self.range << 8 & M32
            self.code = (self.code << 8 | self.next_byte()) & M32

    def probable(self, p):
        bound = (self.range >> 16) * p
        bit = int(self.code < bound)
        if bit:
            self.range = bound
        else:
            self.code -= bound
            self.range -= bound
        self.normalize()
        return bit

    def raw(self, count):
        value = 0
        while count > 0:
            k = min(count, 16) if count <= 16 else 16
            self.range >>= k
            part = self.code // self.range
            require(part >> k == 0, "raw bits")
            self.code -= part * self.range
            self.normalize()
            value, count = value << k | part, count - k
        return value

    # counters
    def counter(self, key):
        return self.counters.setdefault(key, [2**21, 0])

    @staticmethod
    def learn(counter, bit, limit):
        p, n = counter
        counter[0] = p + ((2**22 - 1 - p) * RATE[n] >> 10) if bit else p - (p * RATE[n] >> 10)
        counter[1] = min(n + 1, limit)

    def bit(self, key, limit=127):
        counter = self.counter(key)
        bit = self.probable(counter[0] >> 6 | 1)
        self.learn(counter, bit, limit)
        return bit

    def tree(self, depth, key, limit=127, first=0):
        node = 1
        for _ in range(depth):
            node = 2 * node + self.bit((key, first + node), limit)
        return node - 2**depth

    def number(self, key, limit=127):
        length = self.tree(6, (key, "length"), limit)
        m = min(length, 3)
        t = self.tree(m, (key, "top", min(length, 7)), limit)
        return ((2**m + t) << (length - m) | self.raw(length - m)) - 1

    # operations
    def operation(self):
        left = self.size - len(self.out)
        kind = self.tree(3, ("op_kind", self.last_kind))
        require(kind <= 6, "operation")
        self.last_kind = kind
        typed, on_lattice, has_base = kind in (2, 3), kind in (5, 6), kind in (1, 2, 5, 6)
        values = typed or on_lattice
        type_ = self.tree(4, "op_type") if typed else 0
        require(type_ < len(TYPES), "type")
        bits, exponent_bits, _ = TYPES[type_]
        unit = bits // 8 if values else 1
        count = self.number("op_bytes") * unit or left
        require(0 < count <= left and count % unit == 0, "count")
        if has_base:
            forward = self.bit("op_shift forward")
            by = self.number("op_shift")
            offset = self.base_next + by if forward else self.base_next - by
            require(0 <= offset and offset + count <= len(self.base), "place in the base")
            self.base_next = offset + count
            require(all(self.reaches(offset + i, len(self.out) + i) for i in range(count)), "out of reach")
        top = self.raw(exponent_bits) if typed and exponent_bits else 0
        by_mantissa = self.bit("by mantissa") if kind == 2 and exponent_bits else 0
        zero_bits = 0
        if typed and exponent_bits and self.bit("has zero bits"):
            zero_bits = min(self.raw(6), bits - 1 - exponent_bits - 4)
        scale = self.raw(8) - 104 if on_lattice else 0
        require(scale <= 149, "scale")
        corrected = 0
        if kind == 6:
            rank, shift, columns = self.raw(5) + 1, self.raw(5), self.raw(24)
            wide, corrected = self.raw(1), self.raw(1)
            require(columns > 0 and count // 4 % columns == 0, "columns")
            require(rank * (columns + 1) * (1 + wide) <= (262144 if self.standard else 4096), "factors")
        by_runs = self.bit("by runs") if kind in (2, 5) or corrected else 0
        if has_base:
            d = len(self.base) + len(self.out) - offset
            i = self.reps.index(d) if d in self.reps[:3] else 3
            self.reps = [d] + self.reps[:i] + self.reps[i + 1:]
        memory_kind = type_ if typed else "lattice"
        if values and memory_kind != self.last_type:
            self.activity = self.last = self.run_mean = self.deviation = self.last_sign = self.scale = 0
            self.mean = [0] * 32
            self.last_type = memory_kind
        if kind != 0:
            self.before = 0
        if kind == 0:
            self.generic(count)
        elif kind == 1:
            self.out += self.base[offset:offset + count]
        elif kind == 4:
            for _ in range(count):
                self.out.append(self.raw(8))
        elif kind == 5:
            steps = self.steps(count // 4, by_runs)
            for i in range(offset, offset + count, 4):
                self.out += moved(self.base[i:i + 4], next(steps), scale)
        elif kind == 6:
            v = [[self.factor(0, r, wide) for _ in range(columns)] for r in range(rank)]
            corrections = self.steps(count // 4, by_runs)
            for i in range(count // 4):
                if i % columns == 0:
                    u = [self.factor(1, r, wide) for r in range(rank)]
                k = sum(u[r] * v[r][i % columns] for r in range(rank)) >> shift
                at = offset + 4 * i
                self.out += moved(self.base[at:at + 4], k + (next(corrections) if corrected else 0), scale)
            for key in list(self.counters):
                if key[0] in (("second",) if self.standard else ("literal", "matched")):
                    del self.counters[key]
        elif kind == 3:
            for _ in range(count // unit):
                self.out += self.intra(type_, top, zero_bits).to_bytes(unit, "little")
        else:
            i = 0
            while i < count:
                if by_runs:
                    run = self.run_length((count - i) // unit) * unit
                    self.out += self.base[offset + i:offset + i + run]
                    i += run
                    if i == count:
                        break
                b = int.from_bytes(self.base[offset + i:offset + i + unit], "little")
                cls = self.magnitude_class(type_, top, b)
                changed = by_runs or self.flag(("zero", cls >> 1 if exponent_bits else cls))
                x = self.change(type_, cls, by_mantissa, zero_bits, b) if changed else b
                self.out += x.to_bytes(unit, "little")
                i += unit

    # values
    def magnitude_class(self, type_, top, b):
        bits, exponent_bits, unsigned = TYPES[type_]
        mask, sign = 2**bits - 1, 2**(bits - 1)
        if exponent_bits:
            cls = max(top - (b >> (bits - 1 - exponent_bits) & 2**exponent_bits - 1), 0)
        else:
            cls = (abs(b - 128) if unsigned else -b & mask if b & sign else b).bit_length()
        return min(cls, self.classes - 1)

    def flag(self, key):
        level = sum(self.activity >= t for t in (32, 256, 1024, 2731, 6554, 13107, 26214))
        changed = self.bit((key, 4 * level + (self.last & 3)), 255)
        self.last = (self.last << 1 | changed) & 3
        if changed:
            self.activity += 65536 - self.activity >> 5
        else:
            self.activity -= self.activity >> 5
        return changed

    def run_length(self, left):
        n = self.run_mean.bit_length()
        level = 0 if n < 4 else min(2 * (n - 4) + (self.run_mean >> (n - 2) & 1), self.run_levels - 1)
        y = self.tree(4, ("run", level), 255)
        run = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 128)[y]
        if y == 15:
            run += self.number("run_long", 255)
        elif y >= 8:
            w = (2, 2, 3, 3, 4, 4, 6)[y - 8]
            high = self.bit(("run_high", y), 255)
            run += high << (w - 1) | self.raw(w - 1)
        require(run <= left, "run")
        self.run_mean += (min(run, 65535) << 4) - self.run_mean >> 4
        return run

    def change(self, type_, cls, by_mantissa, zero_bits, b):
        bits, exponent_bits, unsigned = TYPES[type_]
        mantissa_bits = bits - 1 - exponent_bits
        mask, sign = 2**bits - 1, 2**(bits - 1)
        ordered = b if not exponent_bits else ~b & mask if b & sign else b | sign
        negative = b < sign if unsigned else bool(b & sign)
        down = self.bit(("sign", negative, self.last_sign), 255)
        self.last_sign = 1 + down
        v = 0
        if self.standard and by_mantissa:
            v = 5 + (b >> (mantissa_bits - 2) & 3)
        elif self.standard:
            d = self.deviation
            v = 0 if d < -192 else 1 if d < -64 else 2 if d <= 64 else 3 if d <= 192 else 4
        first = ((cls >> 1) * self.levels + v) * 64 if bits == 64 else (cls * self.levels + v) * 32
        length = 0
        if bits != 8 or self.bit(("length", first), 255):
            length = self.tree({8: 3, 16: 4, 32: 5, 64: 6}[bits], "length", 255, first)
        if self.standard:
            now = length + 1 << 8
            if self.mean[cls] == 0:
                self.mean[cls] = now
            off = now - self.mean[cls]
            self.mean[cls] += off >> 6
            self.deviation += off - self.deviation >> 4
        m = min(length, 3)
        t = self.tree(m, ("top", cls if self.standard else 0, min(length, 31)), 255)
        size = (2**m + t) << (length - m) | self.raw(length - m)
        size <<= zero_bits
        ordered = (ordered >> zero_bits << zero_bits) + (-size if down else size) & mask
        if not exponent_bits:
            return ordered
        value = ordered ^ sign if ordered & sign else ~ordered & mask
        return value >> zero_bits << zero_bits

    def intra(self, type_, top, zero_bits):
        bits, exponent_bits, unsigned = TYPES[type_]
        c = min(max(self.scale >> 7, 0), 7) if self.standard else 0
        if exponent_bits:
            mantissa_bits = bits - 1 - exponent_bits
            below = self.tree(5, ("exponent", c), 255)
            if below == 31:
                if self.bit((("exponent", c), 0), 255):
                    return 0
                below = self.raw(8)
            self.scale += (min(below, 24) << 8) - self.scale >> 5
            exponent = top - below & 2**exponent_bits - 1
            sign = self.raw(1)
            k = min(mantissa_bits, 4)
            high = self.tree(k, ("intra_top", min(below, self.classes - 1)), 255)
            mantissa = high << (mantissa_bits - k) | self.raw(mantissa_bits - k - zero_bits) << zero_bits
            return sign << (bits - 1) | exponent << mantissa_bits | mantissa
        length = self.tree({8: 4, 16: 5, 32: 6}[bits], ("exponent", c), 255)
        self.scale += (length << 8) - self.scale >> 5
        if length == 0:
            return 0
        down = self.bit("integer_sign", 255)
        m = min(length - 1, 3)
        t = self.tree(m, ("intra_top", min(length, self.classes - 1)), 255)
        value = (2**m + t) << (length - 1 - m) | self.raw(length - 1 - m)
        return (-value if down else value) & 2**bits - 1

    # lattice and low rank
    def steps(self, count, by_runs):
        i = 0
        while i < count:
            if by_runs:
                run = self.run_length(count - i)
                for _ in range(run):
                    yield 0
                i += run
                if i == count:
                    return
            yield self.nonzero_steps() if by_runs or self.flag("step_zero") else 0
            i += 1

    def nonzero_steps(self):
        down = self.bit(("step_sign", self.last_sign), 255)
        self.last_sign = 1 + down
        key = ("step_length", min(self.scale >> 7, self.step_levels - 1))
        length = self.tree(5, key, 255) if self.bit((key, 0), 255) else 0
        self.scale += (length << 8) - self.scale >> 4
        m = min(length, 3)
        t = self.tree(m, ("step_top", min(length, 7)), 255)
        size = (2**m + t) << (length - m) | self.raw(length - m)
        return -size if down else size

    def factor(self, is_u, r, wide):
        key = ("factor", is_u, min(r, self.components - 1))
        if not self.bit((key, 0), 255):
            return 0
        down = self.bit((key, 16), 255)
        length = self.tree(4, key, 255)
        m = min(length, 2)
        t = self.tree(m, (key, 17 + 4 * min(length, 7)), 255)
        size = (2**m + t) << (length - m) | self.raw(length - m)
        value = -size if down else size
        require(-32768 <= value < 32768 if wide else -128 <= value < 128, "factor")
        return value

    # generic bytes
    def byte_at(self, place):
        return self.base[place] if place < len(self.base) else self.out[place - len(self.base)]

    def generic(self, count):
        end = len(self.out) + count
        while len(self.out) < end:
            state = self.state
            if not self.bit(("is_match", state, len(self.out) & 3)):
                self.literal()
                continue
            if self.bit(("is_rep", state)):
                index = self.tree(2, ("rep_index", state))
                length = 2 + self.number("rep_length")
                self.reps.insert(0, self.reps.pop(index))
                self.state = (3 * state + 2) % 27
            else:
                length = 2 + self.number("match_length")
                if self.bit(("is_near", state)):
                    farther = self.bit("near farther")
                    by = self.number("near") + 1
                    require(by <= 4096, "near")
                    distance = self.reps[0] + by if farther else self.reps[0] - by
                else:
                    h = self.number(("distance", min(length - 2, self.distances - 1)))
                    require(h <= 2**40, "distance")
                    distance = 16 * h + self.tree(4, "align") + 1
                self.reps = [distance] + self.reps[:3]
                self.state = (3 * state + 1) % 27
            require(length <= end - len(self.out), "length")
            place = len(self.base) + len(self.out) - self.reps[0]
            require(self.reps[0] > 0 and place >= 0, "distance")
            for i in range(length):
                require(place + i >= len(self.base) or self.reaches(place + i, len(self.out)), "out of reach")
                byte = self.byte_at(place + i)
                self.out.append(byte)
                self.before = (self.before << 8 | byte) & M32

    def literal(self):
        place = len(self.base) + len(self.out) - self.reps[0]
        e = self.byte_at(place) if self.reps[0] > 0 and place >= 0 else None
        if 0 <= place < len(self.base) and not self.reaches(place, len(self.out)):
            e = None
        agrees, node = e is not None and (self.standard or self.state != 0), 1
        before = self.before
        second = (before & 0xFFFF) * 0x9E3779B1 % 2**32 >> 16
        last = before & 255
        kind = 2 if last >= 128 or last < 9 else 0 if last >= 96 else 1
        for shift in range(7, -1, -1):
            if not self.standard:
                bit = self.bit(("matched", node), 255) ^ e >> shift & 1 if agrees else self.bit(("literal", kind, node), 255)
            else:
                keys = [("alone", node), ("literal", last, node), ("second", (second + node * 0x9E35) % 65536),
                        ("matched", e >> shift & 1, node) if agrees else None]
                counters = [self.counter(k) if k else None for k in keys]
                x = [STRETCH[(c[0] >> 6 | 1) >> 4] if c else 0 for c in counters]
                w = self.weights.setdefault((0 if e is None else 1 if agrees else 2, shift), [20000] * 4)
                total = sum(a * b for a, b in zip(w, x)) >> 16
                p = squash(max(-2047, min(2047, total))) | 1
                bit = self.probable(p)
                error = ((65535 if bit else 0) - p) * 7 >> 4
                for i in range(4):
                    w[i] = max(-2**20, min(2**20, w[i] + (x[i] * error + 32768 >> 16)))
                for c in counters:
                    if c:
                        self.learn(c, bit, 255)
            agrees = agrees and bit == e >> shift & 1
            node = 2 * node + bit
        self.out.append(node & 255)
        self.before = (before << 8 | node & 255) & M32
        self.state = 3 * self.state % 27


def check(folder):
    failures = count = 0
    for patch in sorted(folder.glob("*.delta")):
        case = re.sub(r"-(small|standard)(_in_place)?$", "", patch.stem)
        count += 1
        try:
            out = Decoder((folder / f"{case.split('.')[0]}.base").read_bytes(), patch.read_bytes()).run()
            right = ".bad" not in patch.name and out == (folder / f"{case}.target").read_bytes()
        except Damaged:
            right = ".bad" in patch.name
        if not right:
            failures += 1
            print(f"{patch.name}: not as it should be")
    print(f"{count} golden deltas, {failures} failures")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        sys.exit(check(Path(sys.argv[2])))
    Path(sys.argv[3]).write_bytes(Decoder(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes()).run())
