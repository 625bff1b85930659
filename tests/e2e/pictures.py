"""Pages as pixels, by poppler and by MuPDF."""
import re

from lib import run


class Picture:
    def __init__(self, path):
        data = path.read_bytes()
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        self.width, self.height = int(head.group(1)), int(head.group(2))
        body = data[head.end():]
        self.planes = [body[n::3] for n in range(3)]

    def _mask(self, conditions):
        """One byte a pixel, 1 where every plane meets its condition (a range of values)."""
        whole = None
        for plane, (low, high) in zip(self.planes, conditions):
            table = bytes(1 if low <= value <= high else 0 for value in range(256))
            bits = int.from_bytes(plane.translate(table), "big")
            whole = bits if whole is None else whole & bits
        return whole.to_bytes(self.width * self.height, "big")

    def box(self, conditions):
        """(x0, y0, x1, y1) of the pixels that meet the conditions, from the upper left; None when there are none."""
        mask = self._mask(conditions)
        x0, x1, y0, y1 = self.width, -1, None, None
        for y in range(self.height):
            row = mask[y * self.width:(y + 1) * self.width]
            first = row.find(1)
            if first < 0:
                continue
            y0 = y if y0 is None else y0
            y1, x0, x1 = y, min(x0, first), max(x1, row.rfind(1))
        return None if y0 is None else (x0, y0, x1 + 1, y1 + 1)

    def differs(self, other, tolerance=64):
        """Share of pixels that differ by more than the tolerance in some plane; 1 when the sizes differ."""
        if (self.width, self.height) != (other.width, other.height):
            return 1.0
        worst = 0
        for mine, theirs in zip(self.planes, other.planes):
            worst = max(worst, sum(1 for a, b in zip(mine, theirs) if a != b and abs(a - b) > tolerance))
        return worst / (self.width * self.height)


RED_INK = ((130, 255), (0, 110), (0, 110))
BLUE_INK = ((0, 110), (0, 120), (120, 255))
BLACK_INK = ((0, 110), (0, 110), (0, 110))


def poppler(pdf, out, dpi=300, page=1):
    done = run("pdftoppm", "-r", dpi, "-f", page, "-l", page, "-singlefile", "-cropbox", pdf, out)
    if done.status != 0:
        raise RuntimeError(repr(done))
    return Picture(out.with_name(out.name + ".ppm"))


def mupdf(pdf, out, dpi=300, page=1):
    target = out.with_name(out.name + "-mu.ppm")
    done = run("mutool", "draw", "-q", "-r", dpi, "-o", target, pdf, page)
    if done.status != 0:
        raise RuntimeError(repr(done))
    return Picture(target)
