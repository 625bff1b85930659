ok Gửi | request send {r0} --dir {dir} --as {head}
[binh-thuan-2017] ok Người quản lý thuê bao phê duyệt danh sách | request approve {r0} --dir {dir} --as {so} {so-key}
ok Chấp nhận | request accept {r0} --dir {dir} --as {{decide}}
ok Phê duyệt | request approve {r0} --dir {dir} --as {{decide}} {{decide}-key}
ok Thực hiện | request execute {r0} --dir {dir} --as {{decide}}
ok Xem | request show {r0} --dir {dir} --as {{decide}}
