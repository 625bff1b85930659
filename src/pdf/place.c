/*
 * Places on a page. The reader sees the crop box, turned by /Rotate, one unit being UserUnit/72 inch; annotations
 * stand in unturned user space (ISO 32000-2, 7.7.3.3, 8.3.2.3).
 */
#include "pdf/append.h"

/* A point as seen, from the lower left corner of what is seen, in points. */
static void
place_point(const struct an_pdf_page *page, double seen_x, double seen_y, double *ret_x, double *ret_y)
{
    double unit = page->user_unit > 0 ? page->user_unit : 1;
    double a = seen_x / unit, b = seen_y / unit;

    switch (page->rotate) {
    case 90:
        *ret_x = page->crop.x1 - b;
        *ret_y = page->crop.y0 + a;
        break;
    case 180:
        *ret_x = page->crop.x1 - a;
        *ret_y = page->crop.y1 - b;
        break;
    case 270:
        *ret_x = page->crop.x0 + b;
        *ret_y = page->crop.y1 - a;
        break;
    default:
        *ret_x = page->crop.x0 + a;
        *ret_y = page->crop.y0 + b;
    }
}

struct an_pdf_rect
an_pdf_place_rect(const struct an_pdf_page *page, struct an_pdf_rect seen)
{
    struct an_pdf_rect rect;
    double swap;

    place_point(page, seen.x0, seen.y0, &rect.x0, &rect.y0);
    place_point(page, seen.x1, seen.y1, &rect.x1, &rect.y1);
    if (rect.x0 > rect.x1) {
        swap = rect.x0;
        rect.x0 = rect.x1;
        rect.x1 = swap;
    }
    if (rect.y0 > rect.y1) {
        swap = rect.y0;
        rect.y0 = rect.y1;
        rect.y1 = swap;
    }
    return rect;
}

struct an_pdf_rect
an_pdf_place_box(int rotate, struct an_pdf_rect rect, double width, double height)
{
    bool turned = rotate == 90 || rotate == 270;
    double across = turned ? rect.y1 - rect.y0 : rect.x1 - rect.x0;
    double up = turned ? rect.x1 - rect.x0 : rect.y1 - rect.y0;
    double scale_x = across / width, scale_y = up / height, margin;

    if (scale_x > scale_y) {
        margin = (across / scale_y - width) / 2;
        return (struct an_pdf_rect){-margin, 0, width + margin, height};
    }
    margin = (up / scale_x - height) / 2;
    return (struct an_pdf_rect){0, -margin, width, height + margin};
}
