ok Lập đề nghị thay đổi sang gmail.com | request change --dir {dir} --as {head} --subject {s2} --what email --to thudv@gmail.com --number 04b/ĐN-MẪU
take rx id
no nd-68-2024/mau-01 Địa chỉ gmail.com bị từ chối | request check {rx} --dir {dir} --as {head}
ok Lập đề nghị thay đổi thư công vụ | request change --dir {dir} --as {head} --subject {s2} --what email --to vanthu@mau.gov.vn --number 04/ĐN-MẪU
take r3 id
ok Người đứng đầu ký số | request sign {r3} --dir {dir} --as {head} {head-key}
let r0 {r3}
let decide {decide-renew}
include quyet.story
