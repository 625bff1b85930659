[binh-thuan-2017] ok Người quản lý thuê bao phê duyệt danh sách | request approve {r0} --dir {dir} --as {so} {so-key}
ok Cục chấp nhận | request accept {r0} --dir {dir} --as {cuc}
ok Cục phê duyệt | request approve {r0} --dir {dir} --as {cuc} {cuc-key}
ok Cục thực hiện | request execute {r0} --dir {dir} --as {cuc}
