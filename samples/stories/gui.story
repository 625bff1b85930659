ok Gửi | request send {r0} --dir {dir} --as {head}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] take due due
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] tell Đã tiếp nhận; phải giải quyết trước {due}
include cuc-quyet.story
