//! A faithful GitHub on loopback over local git repositories, for tests and `rehearse`.
