# Gia Lai: dịch vụ được ủy quyền gửi Sở bằng văn bản điện tử ký số (Điều 7.2).
let hierarchy state
let agency-name ỦY BAN NHÂN DÂN XÃ MẪU
let head-title Chủ tịch
let so-role so-khcn
let province Gia Lai
let top-code H21
let top-name ỦY BAN NHÂN DÂN TỈNH GIA LAI (MẪU)
let so-code H21.09
let so-name Sở Khoa học và Công nghệ (MẪU)
let tt-code H21.09.1
let agency-code H21.99
let since 2026-05-11
let leave 2031-06-04
let cite-new gia-lai-2026/7/1
let cite-recover gia-lai-2026/7/2
let cite-lost nd-68-2024/mau-05
let cite-renew nd-68-2024/12
let cite-late nd-68-2024/12
let cite-not-so gia-lai-2026/7/1
let decide-first so
let decide-renew so
let day-new 2026-06-02T08:00:00+07:00
let day-change 2026-07-06T08:00:00+07:00
let day-recover 2026-07-13T08:00:00+07:00
let day-lost 2026-08-03T08:00:00+07:00
let day-renew 2031-02-03T08:00:00+07:00
let day-late 2031-05-15T08:00:00+07:00
at 2026-06-01T08:00:00+07:00
include chung.story
