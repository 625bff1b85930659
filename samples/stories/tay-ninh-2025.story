# Tây Ninh: Sở phê duyệt danh sách gia hạn, thay đổi, khôi phục (Điều 8.3, 17.2).
let hierarchy state
let agency-name ỦY BAN NHÂN DÂN XÃ MẪU
let head-title Chủ tịch
let so-role so-khcn
let province Tây Ninh
let top-code H53
let top-name ỦY BAN NHÂN DÂN TỈNH TÂY NINH (MẪU)
let so-code H53.6
let so-name Sở Khoa học và Công nghệ (MẪU)
let tt-code H53.6.1
let agency-code H53.99
let since 2025-01-01
let leave 2031-01-09
let cite-new tay-ninh-2025/8/1
let cite-recover tay-ninh-2025/8/3
let cite-lost nd-68-2024/mau-05
let cite-renew nd-68-2024/12
let cite-late nd-68-2024/12
let cite-not-so tay-ninh-2025/8/1
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
