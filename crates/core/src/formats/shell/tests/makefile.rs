//! Makefiles and justfiles: what make and just put into recipes.

use super::check;

#[test]
fn recipes_are_scripts() {
    check(
        r#"
=== Makefile
IMAGE := ghcr.io/acme/app
TAG ?= 1
DOCKER = docker
DOCKER_RUN = $(DOCKER) run --rm -v $(PWD):/src -w /src
FULL = $(IMAGE):$(TAG)

.PHONY: all
all: lint # docker pull no
	@docker pull alpine:3 \
#             ^^^^^^^^ command docker.io/library/alpine:3
		&& echo done
	-$(DOCKER_RUN) golang:1.26 go test ./...
#               ^^^^^^^^^^^ command docker.io/library/golang:1.26
	docker run $(FULL) # text
#           ^^^^^^^ command ghcr.io/acme/app:1 <- ghcr.io/acme/app* <- 1 <- $(IMAGE):$(TAG)
	docker run ${IMAGE}:$(VERSION)
#           ^^^^^^^^^^^^^^^^^^^ command partial ghcr.io/acme/app (`$(VERSION)` is not set in this Makefile) <- ghcr.io/acme/app*
	for i in a:1 b:1; do docker pull $$i; done
#                                  ^^ command docker.io/library/a:1 | docker.io/library/b:1 <- a:1* <- b:1
	x=$$(docker run c:1); $(CONTAINER_ENGINE) run d:1
#                ^^^ command docker.io/library/c:1
#                                              ^^^ command docker.io/library/d:1
	docker run $(UNSET)
#           ^^^^^^^^ command unresolved (`$(UNSET)` is not set in this Makefile)

VERSION_OF = $(shell docker run --rm e:1 cat /version)
#                                    ^^^ command docker.io/library/e:1
ifeq ($(CI),true)
BASE = f:1
else
BASE = g:1
endif
run:
	docker run $(BASE)
#           ^^^^^^^ command docker.io/library/f:1 | docker.io/library/g:1 <- f:1* <- g:1
	docker run built:1
image:
	docker build -t built:1 --build-arg BASE=$(BASE) .
=== Dockerfile
ARG BASE=alpine
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine <- alpine*
#    ^^^^^ final-stage docker.io/library/f:1 <- Makefile: f:1* <- Makefile: $(BASE)
#    ^^^^^ final-stage docker.io/library/g:1 <- Makefile: g:1* <- Makefile: $(BASE)
"#,
    );
}

#[test]
fn a_variable_may_hold_a_whole_command() {
    check(
        r#"
=== build.mk
CHECK = cd /x && docker run --rm a:1 sh -c 'x; y'
#                                ^^^ command docker.io/library/a:1
PYTHON = $(DOCKER) run -u $(WHO) -v "$(CURDIR):/x" $(PYTHON_IMAGE)
#                                                  ^^^^^^^^^^^^^^^ command docker.io/library/python:3 <- python:3*
PYTHON_IMAGE = python:3
READ_IMAGE := $(shell awk 'x' images)
LINT = docker run $(if $(TTY),-it) $(READ_IMAGE) $(TOOL)
#                                  ^^^^^^^^^^^^^ command unresolved (`shell` is not evaluated) <- $(shell awk 'x' images)
TOOL = /venv/bin/lint
define IMAGE_RULE
	docker run b:1 $(1)
#           ^^^ command docker.io/library/b:1
endef
t:
	$(CHECK)
	$(PYTHON) bash -c 'x'
"#,
    );
}

#[test]
fn justfiles_are_read() {
    check(
        r#"
=== justfile
image := "alpine:3"
test arg: other
    docker run {{image}} sh
#              ^^^^^^^^^ command docker.io/library/alpine:3 <- alpine:3*
    @docker run {{arg}}
#               ^^^^^^^ command unresolved (`arg` is not set in this justfile)
script:
    #!/usr/bin/env bash
    X=a:1
    docker run $X
#              ^^ command docker.io/library/a:1 <- a:1*
python:
    #!/usr/bin/env python3
    docker run no
"#,
    );
}

#[test]
fn a_dockerfile_that_a_script_writes_is_read() {
    check(
        r#"
=== a.sh
BASE=alpine:3
cat > build/Dockerfile <<EOF
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:3
RUN echo \$HOME
$(more)
EOF
cat <<'EOF' | tee Dockerfile.x
FROM node:20
#    ^^^^^^^ final-stage docker.io/library/node:20
EOF
cat > readme.txt <<EOF
FROM no
EOF
"#,
    );
}

#[test]
fn a_value_is_what_the_shell_makes_of_it() {
    check(
        r#"
=== Makefile
BASE ?= "quay.io/acme/base:1"
#        ^^^^^^^^^^^^^^^^^^^ command quay.io/acme/base:1
FLAGS := docker run \
	-e A \
	-e B
ifdef TTY
	FLAGS += -t
endif
RUN := $(FLAGS) "$(IMAGE)"
IMAGE := dev
build:
	docker build --build-arg BASE=$(BASE) -t "$(IMAGE)" .
	docker pull $(BASE)
	docker pull $(NODE_$(ARCH))
#            ^^^^^^^^^^^^^^^ command unresolved (`$(NODE_$(ARCH))` is not evaluated)
shell:
	$(RUN) bash
=== Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage quay.io/acme/base:1 <- Makefile: quay.io/acme/base:1* <- Makefile: $(BASE)
"#,
    );
}
