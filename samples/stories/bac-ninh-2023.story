# Bắc Ninh: mọi yêu cầu do Cục giải quyết theo Thông tư 185/2019; một bản thông báo đến Trung tâm (Điều 5.3).
let hierarchy state
let agency-name ỦY BAN NHÂN DÂN XÃ MẪU
let head-title Chủ tịch
let so-role so-khcn
let province Bắc Ninh
let top-code H05
let top-name ỦY BAN NHÂN DÂN TỈNH BẮC NINH (MẪU)
let so-code H05.11
let so-name Sở Thông tin và Truyền thông (MẪU)
let tt-code H05.11.1
let agency-code H05.99
let since 2023-05-02
let leave 2028-06-09
let cite-new bac-ninh-2023/14/3
let cite-recover bac-ninh-2023/5/2/d
let cite-lost bac-ninh-2023/5/2/c
let cite-renew nd-130-2018/63
let cite-late nd-68-2024/12
let cite-not-so bac-ninh-2023/14/3
let decide-first cuc
let decide-renew cuc
let day-new 2023-06-06T08:00:00+07:00
let day-change 2023-07-03T08:00:00+07:00
let day-recover 2023-07-10T08:00:00+07:00
let day-lost 2023-08-07T08:00:00+07:00
let day-renew 2024-01-08T08:00:00+07:00
let day-late 2028-05-20T08:00:00+07:00
at 2023-06-05T08:00:00+07:00
include chung.story
