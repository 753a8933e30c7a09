//! Tools: their options, what they pull and what they make.

use super::check;

#[test]
fn options_take_what_they_take() {
    check(
        r"
=== a.sh
docker run -it --rm -e A=b -v /a:/b --name x --network=host -p 80:80 a:1 -v x
#                                                                    ^^^ command docker.io/library/a:1
docker run -itv x:y b:1
#                   ^^^ command docker.io/library/b:1
docker run -eA=b -p80:80 --env A -u 1:1 -- c:1
#                                          ^^^ command docker.io/library/c:1
docker --context x -H tcp://y -D run d:1
#                                    ^^^ command docker.io/library/d:1
docker container run --entrypoint sh e:1 -c 'x'
#                                    ^^^ command docker.io/library/e:1
docker container create --gpus all f:1
#                                  ^^^ command docker.io/library/f:1
docker create --add-host a:1 g:1
#                            ^^^ command docker.io/library/g:1
docker image pull --platform linux/arm64 -q h:1
#                                           ^^^ command docker.io/library/h:1
docker service create --name x --replicas 2 i:1 cmd
#                                           ^^^ command docker.io/library/i:1
docker service update --image j:1 x
#                             ^^^ command docker.io/library/j:1
podman pull docker://quay.io/a/b k:1
#                    ^^^^^^^^^^^ command quay.io/a/b
#                                ^^^ command docker.io/library/k:1
nerdctl -n k8s.io run --unknown l:1
#                               ^^^ command docker.io/library/l:1
",
    );
}

#[test]
fn tools_that_are_no_engines() {
    check(
        r#"
=== a.sh
skopeo copy --all docker://a:1 docker://ghcr.io/me/a:1
#                          ^^^ command docker.io/library/a:1
skopeo inspect docker://b:1
#                       ^^^ command docker.io/library/b:1
skopeo sync --src docker --dest dir quay.io/c out
#                                   ^^^^^^^^^ command quay.io/c
skopeo copy oci:folder docker://x
skopeo copy docker-archive:a.tar docker-daemon:x:1
crane copy d:1 ghcr.io/me/d
#          ^^^ command docker.io/library/d:1
crane pull --platform linux/amd64 e:1 out.tar
#                                 ^^^ command docker.io/library/e:1
crane append -b f:1 -f layer.tar -t ghcr.io/me/f
#               ^^^ command docker.io/library/f:1
crane push out.tar ghcr.io/me/x; crane ls ghcr.io/me/x; crane tag ghcr.io/me/x y
buildah from --name c g:1
#                     ^^^ command docker.io/library/g:1
buildah from scratch
kubectl -n x run y --image=h:1 --restart=Never -- sh -c 'x'
#                          ^^^ command docker.io/library/h:1
kubectl create deployment web --image i:1
#                                     ^^^ command docker.io/library/i:1
kubectl set image deployment/web web=j:1 side=k:1
#                                    ^^^ command docker.io/library/j:1
#                                             ^^^ command docker.io/library/k:1
kubectl debug -it pod/x --image=l:1 --target=y
#                               ^^^ command docker.io/library/l:1
kubectl get pods -o jsonpath='{.spec.containers[*].image}'
kind create cluster --image kindest/node:v1
#                           ^^^^^^^^^^^^^^^ command docker.io/kindest/node:v1
kind -v 1 create cluster --retain --image kindest/node:v2 --wait 5m
#                                         ^^^^^^^^^^^^^^^ command docker.io/kindest/node:v2
k3d cluster create x --image rancher/k3s:v1
#                            ^^^^^^^^^^^^^^ command docker.io/rancher/k3s:v1
k3d cluster create --wait --image rancher/k3s:v2 x
#                                 ^^^^^^^^^^^^^^ command docker.io/rancher/k3s:v2
args=(--wait)
args+=(--image rancher/k3s:v3 -v a:b)
k3d cluster create x "${args[@]}"
#                     ^^^^^^^^^^ command docker.io/rancher/k3s:v3 <- rancher/k3s:v3*
ctr -n k8s.io images pull docker.io/library/m:1
#                         ^^^^^^^^^^^^^^^^^^^^^ command docker.io/library/m:1
crictl pull n:1
#           ^^^ command docker.io/library/n:1
trivy image --severity HIGH o:1
#                           ^^^ command docker.io/library/o:1
grype dir:. ; grype p:1
#                   ^^^ command docker.io/library/p:1
docker buildx imagetools create -t ghcr.io/me/x q:1
#                                               ^^^ command docker.io/library/q:1
helm install x y --set image.repository=z
docker compose run web sh
docker-compose pull web
"#,
    );
}

#[test]
fn what_is_built_is_local() {
    check(
        r#"
=== a.sh
docker build -t app:1 -t other .
docker run app:1
docker run other:latest
docker run app:2
#          ^^^^^ command docker.io/library/app:2
docker pull app:1
#           ^^^^^ command docker.io/library/app:1
docker tag app:1 again:1 && docker run --rm again:1
docker build -t "$IMAGE:$TAG" .
docker run "$IMAGE:$TAG" test
docker run "$(docker build -q .)"
docker run --pull=always app:1
#                        ^^^^^ command docker.io/library/app:1
"#,
    );
}

#[test]
fn a_build_gives_a_dockerfile_its_arguments() {
    check(
        r#"
=== build.sh
docker build --build-arg BASE=debian:13 -f docker/App.txt .
docker buildx build --build-context base=docker-image://alpine:3 web
BASE=ubuntu:24.04
docker build --build-arg "BASE=$BASE" --build-arg OTHER app
=== docker/App.txt
ARG BASE=alpine:3
FROM $BASE
#    ^^^^^ final-stage docker.io/library/debian:13 <- build.sh: debian:13*
#    ^^^^^ final-stage docker.io/library/alpine:3 <- alpine:3*
=== web/Dockerfile
FROM base
#    ^^^^ final-stage docker.io/library/alpine:3 <- build.sh: docker-image://alpine:3*
#    ^^^^ final-stage docker.io/library/base
=== app/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage docker.io/library/ubuntu:24.04 <- build.sh: ubuntu:24.04* <- build.sh: $BASE
"#,
    );
}

#[test]
fn folders_are_followed() {
    check(
        r#"
=== scripts/build.sh
cd "$(dirname "$0")/.."
docker build --build-arg V=1 app
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
docker build --build-arg V=2 -f "$ROOT/app/Dockerfile" "$ROOT"
(cd /elsewhere && docker build --build-arg V=3 app)
cd "$(git rev-parse --show-toplevel)/app" && docker build --build-arg V=4 .
=== app/Dockerfile
ARG V=0
FROM a:$V
#    ^^^^ final-stage docker.io/library/a:0 | docker.io/library/a:1 | docker.io/library/a:2 | docker.io/library/a:4 <- 0 <- scripts/build.sh: 1 <- scripts/build.sh: 2 <- scripts/build.sh: 4
"#,
    );
}

#[test]
fn a_remote_context_is_not_fetched() {
    check(
        "
=== a.sh
docker build https://github.com/a/b.git
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^ final-stage unresolved (remote: the build context is somewhere else, and is not fetched)
",
    );
}

#[test]
fn caches_are_sources_of_their_own_kind() {
    check(
        "
=== a.sh
docker build --cache-from a:1 --cache-to type=registry,ref=no .
#                         ^^^ cache docker.io/library/a:1
docker buildx build --cache-from type=registry,ref=ghcr.io/a/b:1,x=y --cache-from type=gha .
#                                                  ^^^^^^^^^^^^^ cache ghcr.io/a/b:1
",
    );
}

#[test]
fn a_tool_of_another_name_is_none() {
    check(
        r"
=== a.sh
archery docker run ubuntu-cpp
dotnet docker pull a
retry 3 docker pull alpine:3
#                   ^^^^^^^^ command docker.io/library/alpine:3
vault exec me -- docker pull alpine:3
#                            ^^^^^^^^ command docker.io/library/alpine:3
$SUDO docker pull alpine:3
#                 ^^^^^^^^ command docker.io/library/alpine:3
",
    );
}
