# Đồng Tháp: gia hạn, thay đổi, khôi phục PKI Token do Sở giải quyết; khôi phục trong 01 ngày làm việc (Điều 11).
let hierarchy state
let agency-name ỦY BAN NHÂN DÂN XÃ MẪU
let head-title Chủ tịch
let so-role so-khcn
let province Đồng Tháp
let top-code H20
let top-name ỦY BAN NHÂN DÂN TỈNH ĐỒNG THÁP (MẪU)
let so-code H20.11
let so-name Sở Khoa học và Công nghệ (MẪU)
let tt-code H20.11.1
let agency-code H20.99
let since 2025-01-01
let leave 2031-01-09
let cite-new dong-thap-2025/6/1
let cite-recover dong-thap-2025/11/2/a
let cite-lost nd-68-2024/mau-05
let cite-renew nd-68-2024/12
let cite-late nd-68-2024/12
let cite-not-so dong-thap-2025/6/1
let decide-first so
let decide-renew so
let day-new 2026-01-06T08:00:00+07:00
let day-change 2026-03-02T08:00:00+07:00
let day-recover 2026-03-09T08:00:00+07:00
let day-lost 2026-04-06T08:00:00+07:00
let day-renew 2030-09-09T08:00:00+07:00
let day-late 2030-12-20T08:00:00+07:00
at 2026-01-05T08:00:00+07:00
include chung.story
