//! Variables: what they are at a place, and what is not known.

use super::check;

#[test]
fn assignments_are_followed() {
    check(
        r#"
=== a.sh
IMG=a:1
docker run $IMG
#          ^^^^ command docker.io/library/a:1 <- a:1*
export TAG="2"; readonly REPO=b
docker run "$REPO:${TAG}"
#           ^^^^^^^^^^^^ command docker.io/library/b:2 <- b* <- 2
docker run ${X:-c:1}
#          ^^^^^^^^^ command docker.io/library/c:1
: "${Y:=d:1}"
docker run $Y
#          ^^ command docker.io/library/d:1 <- d:1*
IMG=e:1
docker run $IMG
#          ^^^^ command docker.io/library/e:1 <- e:1*
NAME=${IMG%:*}
docker run $NAME:9
#          ^^^^^^^ command docker.io/library/e:9 <- e* <- ${IMG%:*}
"#,
    );
}

#[test]
fn what_is_not_set_is_not_known() {
    check(
        r#"
=== a.sh
docker run $IMG
#          ^^^^ command unresolved (`$IMG` is not set in this script)
docker run ghcr.io/a/b:$TAG
#          ^^^^^^^^^^^^^^^^ command partial ghcr.io/a/b (`$TAG` is not set in this script)
docker pull "$1"
#            ^^ command unresolved (`$1` is an argument of the script)
TAG=$(git describe)
docker run a:$TAG
#          ^^^^^^ command unresolved docker.io/library/a (what `$(…)` prints is not known) <- $(git describe)
read -r IMG
docker run "$IMG"
#           ^^^^ command unresolved (what is read into `IMG` is not known)
"#,
    );
}

#[test]
fn branches_are_told_apart() {
    check(
        r#"
=== a.sh
if [ -n "$CI" ]; then IMG=a:1; else IMG=b:1; fi
docker run $IMG
#          ^^^^ command docker.io/library/a:1 | docker.io/library/b:1 <- a:1* <- b:1
T=1
[ -n "$CI" ] && T=2
docker run c:$T
#          ^^^^ command docker.io/library/c:1 | docker.io/library/c:2 <- 2 <- 1
case $ARCH in
  x86) A=amd64 ;;
  arm) A=arm64 ;;
  *) echo no; exit 1 ;;
esac
docker run $A/d
#          ^^^^ command docker.io/amd64/d | docker.io/arm64/d <- amd64* <- arm64
if [ -n "$CI" ]; then U=1; fi
docker run ghcr.io/e/f:$U
#          ^^^^^^^^^^^^^^ command ghcr.io/e/f:1 | partial ghcr.io/e/f (`$U` is not set in this script) <- 1
(V=1)
docker run ghcr.io/e/f:$V
#          ^^^^^^^^^^^^^^ command partial ghcr.io/e/f (`$V` is not set in this script)
"#,
    );
}

#[test]
fn loops_run_through_their_words() {
    check(
        r#"
=== a.sh
for image in a:1 "b:1"; do
  docker pull $image
#             ^^^^^^ command docker.io/library/a:1 | docker.io/library/b:1 <- a:1* <- b:1
done
images=(c:1 d:1)
for image in "${images[@]}"; do docker pull "$image"; done
#                                            ^^^^^^ command docker.io/library/c:1 | docker.io/library/d:1 <- c:1* <- ${images[@]} <- d:1
LIST="e:1 f:1"
for image in $LIST; do docker pull $image; done
#                                  ^^^^^^ command docker.io/library/e:1 | docker.io/library/f:1 <- e:1* <- $LIST <- f:1
"#,
    );
}

#[test]
fn options_may_come_from_variables() {
    check(
        r#"
=== a.sh
OPTS="--rm -e A=b"
docker run $OPTS a:1 sh
#                ^^^ command docker.io/library/a:1
docker run $DOCKER_OPTS b sh
#                       ^ command docker.io/library/b
docker run $MORE --rm c sh
#                     ^ command docker.io/library/c
docker run $WHAT d:1 sh
#                ^^^ command docker.io/library/d:1
docker run $WHAT sh
#          ^^^^^ command unresolved (`$WHAT` is not set in this script)
docker run "$@"
#           ^^ command unresolved (`$@` is an argument of the script)
args=(--rm)
args+=(-v x:y)
docker run "${args[@]}" "e:1"
#                        ^^^ command docker.io/library/e:1
if [ -t 0 ]; then T=-it; fi
docker run $T f:1
#             ^^^ command docker.io/library/f:1
CMD="docker run --rm g:1"
$CMD sh
#^^^^ command docker.io/library/g:1 <- g:1*
"#,
    );
}

#[test]
fn functions_see_what_is_assigned_anywhere() {
    check(
        r#"
=== a.sh
run() {
  docker run "$IMG"
#             ^^^^ command docker.io/library/a:1 | docker.io/library/b:1 <- a:1* <- b:1
}
IMG=a:1
run
IMG=b:1
run
set_tag() { TAG=3; }
set_tag
docker run c:$TAG
#          ^^^^^^ command docker.io/library/c:3 <- 3
f() {
  local x=d:1
  docker run $x
#            ^^ command docker.io/library/d:1 <- d:1*
}
"#,
    );
}

#[test]
fn a_tool_may_be_a_variable() {
    check(
        r#"
=== a.sh
$DOCKER pull a:1
#            ^^^ command docker.io/library/a:1
"${CONTAINER_ENGINE}" run b:1
#                         ^^^ command docker.io/library/b:1
ENGINE=$(command -v podman)
$ENGINE run c:1
#           ^^^ command docker.io/library/c:1
"#,
    );
}
