ok Gửi | request send {r0} --dir {dir} --as {head}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] take due due
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] tell Đã tiếp nhận; phải giải quyết trước {due}
[binh-thuan-2017] ok Người quản lý thuê bao phê duyệt danh sách | request approve {r0} --dir {dir} --as {so} {so-key}
ok Chấp nhận | request accept {r0} --dir {dir} --as {{decide}}
ok Phê duyệt | request approve {r0} --dir {dir} --as {{decide}} {{decide}-key}
ok Thực hiện | request execute {r0} --dir {dir} --as {{decide}}
ok Xem | request show {r0} --dir {dir} --as {{decide}}
