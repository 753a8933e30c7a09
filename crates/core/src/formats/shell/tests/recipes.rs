//! What make and just run is read wherever it stands, or told of.

use super::hidden::limits;
use super::hidden::used;

#[test]
fn commands_anywhere_in_a_makefile_are_read() {
    for text in [
        "X != docker run a:1\n",
        "all: ; docker run -e A=b a:1\n",
        "all:; A=b docker run a:1\n",
        ".RECIPEPREFIX = >\nall:\n> docker run a:1\n",
        "all:\n\t$(if $(X),docker run a:1)\n",
        "all:\n\t$(foreach x,1 2,docker run a:$(if y,1,docker run a:1);)\n",
        "$(X)_RUN = docker run a:1\n",
        "ifeq ($(shell docker run a:1),)\nendif\n",
        "include $(shell docker run a:1)\n",
    ] {
        let uses = used("Makefile", text);
        assert!(uses.contains(&"a:1".to_owned()), "{text}: {uses:?}");
    }
    let long = format!("all:\n\techo $(shell {} docker run a:1)\n", ": x;".repeat(2000));
    assert_eq!(used("Makefile", &long), ["a:1"]);
    assert_eq!(used("Makefile", "X != cat y\nall:\n\tdocker run $(X)\n"), ["unresolved"]);
    assert_eq!(used("Makefile", "all:\n\t$(foreach i,a b,docker run $(i);)\n"), ["unresolved"]);
}

#[test]
fn variables_of_makefiles_that_are_too_many_are_told_of() {
    let values: String = (0..80).map(|number| format!("ifdef X\nA = a:{number}\nendif\n")).collect();
    let uses = used("Makefile", &format!("{values}all:\n\tdocker run $(A)\n"));
    assert!(uses.contains(&"unresolved".to_owned()) && uses.len() == 65, "{uses:?}");
    let chain: String = (0..40).map(|number| format!("A{number} = $(A{}) x\n", number + 1)).collect();
    let text = format!("{chain}A40 = docker run a:1\nall:\n\t$(A0)\n");
    assert!(limits("Makefile", &text)[0].starts_with("the variables of this Makefile"));
    let doubling: String =
        (0..40).map(|number| format!("A{} = $(A{number})$(A{number})\n", number + 1)).collect();
    let text = format!("A0 = x\n{doubling}all:\n\tdocker run $(A15) $(A30)\n");
    assert!(limits("Makefile", &text)[0].starts_with("the variables of this Makefile"));
}

#[test]
fn commands_anywhere_in_a_justfile_are_read() {
    for text in [
        "x := `docker run a:1`\n",
        "b x=`docker run a:1`:\n  echo\n",
        "b:\n  #!/bin/bash -eu\n  docker run a:1\n",
        "b:\n  #!/usr/bin/env -S bash -x\n  docker run a:1\n",
    ] {
        assert_eq!(used("justfile", text), ["a:1"], "{text}");
    }
}
