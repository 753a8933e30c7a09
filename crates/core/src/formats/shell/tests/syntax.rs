//! Words, quotes, heredocs, blocks: where commands are, and where they are not.

use super::check;

#[test]
fn quotes_are_no_part_of_a_reference() {
    check(
        r#"
=== a.sh
docker pull alpine:3
#           ^^^^^^^^ command docker.io/library/alpine:3
docker run "alpine:3" 'docker pull x'
#           ^^^^^^^^ command docker.io/library/alpine:3
docker run 'alpine:3' sh -c "echo docker pull x"
#           ^^^^^^^^ command docker.io/library/alpine:3
docker run al"pin"e:3
#          ^^^^^^^^^^ command docker.io/library/alpine:3
docker run $'alp\x69ne:3'
#            ^^^^^^^^^^^ command docker.io/library/alpine:3
docker run al\pine:3
#          ^^^^^^^^^ command docker.io/library/alpine:3
"#,
    );
}

#[test]
fn a_command_may_stand_on_several_lines() {
    check(
        r"
=== a.sh
docker run --rm \
  -v $PWD:/src \
  alpine:3 \
# ^^^^^^^^ command docker.io/library/alpine:3
  sh
",
    );
}

#[test]
fn commands_are_found_wherever_they_stand() {
    check(
        r#"
=== a.sh
if docker pull a:1; then docker pull b:1; else docker pull c:1; fi # docker pull no
#              ^^^ command docker.io/library/a:1
#                                    ^^^ command docker.io/library/b:1
#                                                          ^^^ command docker.io/library/c:1
x=$(docker run --rm d:1 cat /x)
#                   ^^^ command docker.io/library/d:1
y=`docker run e:1`; (docker pull f:1) && { docker pull g:1; } || ! docker pull h:1
#             ^^^ command docker.io/library/e:1
#                                ^^^ command docker.io/library/f:1
#                                                      ^^^ command docker.io/library/g:1
#                                                                              ^^^ command docker.io/library/h:1
case $x in a | b) docker pull i:1 ;; (c) docker pull j:1; esac
#                             ^^^ command docker.io/library/i:1
#                                                    ^^^ command docker.io/library/j:1
for i in 1 2; do docker pull k:1 & done
#                            ^^^ command docker.io/library/k:1
while read -r x; do docker run l:1; done < <(docker run m:1)
#                              ^^^ command docker.io/library/l:1
#                                                       ^^^ command docker.io/library/m:1
[[ -n "$(docker run n:1)" && $x =~ ^(a|b)$ ]] && docker pull o:1
#                   ^^^ command docker.io/library/n:1
#                                                            ^^^ command docker.io/library/o:1
pull() { docker pull p:1; }
#                    ^^^ command docker.io/library/p:1
function other { docker pull q:1
#                            ^^^ command docker.io/library/q:1
}
echo "a $(docker run r:1) b" | docker run -i s:1 >/dev/null 2>&1
#                    ^^^ command docker.io/library/r:1
#                                            ^^^ command docker.io/library/s:1
((x = 1 << 2)); z=$((1 + 2)); docker pull t:1
#                                         ^^^ command docker.io/library/t:1
a=(one $(docker run u:1)); docker pull v:1
#                   ^^^ command docker.io/library/u:1
#                                      ^^^ command docker.io/library/v:1
"#,
    );
}

#[test]
fn text_is_no_command() {
    check(
        r#"
=== a.sh
# docker pull a
echo docker pull a
echo "docker run b" 'docker run c'
printf '%s\n' docker run d
log_info docker pull e
cat <<EOF
docker pull f
EOF
cat > notes <<'EOF'
docker pull $(g)
EOF
grep -q docker run h
apt-get install docker run
git commit -m "docker pull i"
docker ps; docker images x; docker rm y; docker push z:1; docker logs run
"#,
    );
}

#[test]
fn heredocs_are_scripts_where_a_shell_reads_them() {
    check(
        r#"
=== a.sh
bash <<EOF
docker pull a:1
#           ^^^ command docker.io/library/a:1
EOF
ssh host <<-'EOF'
		docker pull b:1
#             ^^^ command docker.io/library/b:1
	EOF
cat <<EOF | sudo sh
docker pull c:1
#           ^^^ command docker.io/library/c:1
EOF
sh <<< "docker pull d:1"
#                   ^^^ command docker.io/library/d:1
cat <<EOF
a $(docker run e:1)
#              ^^^ command docker.io/library/e:1
EOF
cat <<A <<'B'; docker pull f:1
#                          ^^^ command docker.io/library/f:1
$(docker run g:1)
#            ^^^ command docker.io/library/g:1
A
$(docker run no)
B
docker pull h:1
#           ^^^ command docker.io/library/h:1
"#,
    );
}

#[test]
fn a_dockerfile_on_the_input_is_read() {
    check(
        r#"
=== a.sh
docker build -t x - <<EOF
FROM alpine:3
#    ^^^^^^^^ final-stage docker.io/library/alpine:3
EOF
docker build --build-arg V=2 -f - . <<'EOF'
ARG V=1
FROM node:$V
#    ^^^^^^^ final-stage docker.io/library/node:1 | docker.io/library/node:2 <- 1 <- 2
EOF
"#,
    );
}

#[test]
fn a_heredoc_that_never_ends_hides_nothing() {
    check(
        "
=== a.sh
cat <<EOF
docker pull a:1
#           ^^^ command docker.io/library/a:1
",
    );
}

#[test]
fn what_is_not_closed_hides_nothing() {
    check(
        r#"
=== a.sh
docker pull a:1
#           ^^^ command docker.io/library/a:1
echo "abc
docker pull b:1
#           ^^^ command docker.io/library/b:1
=== b.sh
echo it's $(
docker pull a:1
#           ^^^ command docker.io/library/a:1
=== c.sh
x=(a b
docker pull a:1
#           ^^^ command docker.io/library/a:1
=== d.sh
x=${a:-b
docker pull a:1
#           ^^^ command docker.io/library/a:1
=== e.sh
} ) fi done esac ;; docker pull a:1
#                               ^^^ command docker.io/library/a:1
=== f.sh
`
docker pull a:1
#           ^^^ command docker.io/library/a:1
=== g.sh
case $x in
docker pull a:1
"#,
    );
}

#[test]
fn scripts_inside_scripts_are_read() {
    check(
        r#"
=== a.sh
bash -c 'docker pull a:1 && docker run "b:1"'
#                    ^^^ command docker.io/library/a:1
#                                       ^^^ command docker.io/library/b:1
sh -exc "docker pull c:1"
#                    ^^^ command docker.io/library/c:1
sudo -u root env A=b docker pull d:1
#                                ^^^ command docker.io/library/d:1
time docker pull e:1; exec docker run f:1; command docker pull g:1; nohup docker run h:1 &
#                ^^^ command docker.io/library/e:1
#                                     ^^^ command docker.io/library/f:1
#                                                              ^^^ command docker.io/library/g:1
#                                                                                    ^^^ command docker.io/library/h:1
timeout -k 5 60 docker pull i:1
#                           ^^^ command docker.io/library/i:1
retry 5 docker pull j:1
#                   ^^^ command docker.io/library/j:1
ssh -i key host docker pull k:1
#                           ^^^ command docker.io/library/k:1
ssh host "sudo docker pull l:1"
#                          ^^^ command docker.io/library/l:1
eval "docker pull m:1"
#                 ^^^ command docker.io/library/m:1
docker run n:1 docker pull o:1
#          ^^^ command docker.io/library/n:1
#                          ^^^ command docker.io/library/o:1
/usr/bin/docker pull p:1
#                    ^^^ command docker.io/library/p:1
A=b docker pull q:1
#               ^^^ command docker.io/library/q:1
"#,
    );
}

#[test]
fn xargs_adds_what_is_not_known() {
    check(
        "
=== a.sh
cat list | xargs -n1 docker pull
#                           ^^^^ command unresolved (what `xargs` adds is not known)
cat list | xargs -I{} docker pull ghcr.io/a/b:{}
#                                 ^^^^^^^^^^^^^^ command partial ghcr.io/a/b (what `xargs` adds is not known)
",
    );
}

#[test]
fn windows_line_ends_are_line_ends() {
    let text = "=== a.sh\ndocker pull a:1 \\\r\n  \r\ncat <<E\r\nx\r\nE\r\ndocker pull b:1\r\n";
    let (_, scanned) = crate::formats::tests::scan(text);
    let raws: Vec<&str> = scanned.uses.iter().map(|usage| usage.raw.as_str()).collect();
    assert_eq!(raws, ["a:1", "b:1"]);
}
