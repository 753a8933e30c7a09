//! Makes Dockerfiles up: most from a grammar, so that BuildKit builds them and
//! the comparison goes deep; some by damaging those or the conformance cases.

use crate::oracle::cases::Case;
use crate::oracle::pools::BROKEN_IMAGES;
use crate::oracle::pools::DIRECTIVES;
use crate::oracle::pools::ESCAPES;
use crate::oracle::pools::HEREDOC_LINES;
use crate::oracle::pools::HOSTS;
use crate::oracle::pools::IMAGES;
use crate::oracle::pools::NAMES;
use crate::oracle::pools::PATTERNS;
use crate::oracle::pools::PLATFORM_NAMES;
use crate::oracle::pools::PLATFORMS;
use crate::oracle::pools::REFERENCE_CHARACTERS;
use crate::oracle::pools::SPECIAL;
use crate::oracle::pools::STAGES;
use crate::oracle::pools::SYNTAXES;
use crate::oracle::pools::UNSET;
use crate::oracle::pools::VALUES;
use crate::oracle::pools::WORDS;
use crate::oracle::random::Random;

/// Makes texts; number n of a seed is always the same.
pub(crate) struct Generator {
    samples: Vec<String>,
    references: Vec<String>,
}

impl Generator {
    /// Damages these Dockerfiles and references beside what it makes up.
    pub(crate) fn new(samples: Vec<String>, references: Vec<String>) -> Generator {
        Generator { samples, references }
    }

    /// Reference number `number` of a seed: a known one with some characters
    /// taken, put in or doubled, or the head of one with the tail of another.
    pub(crate) fn reference(&self, seed: u64, number: u64) -> String {
        let random = Random::new(seed.wrapping_mul(0x1000_0000_0000).wrapping_add(number) ^ 0x5EED);
        let sample = || self.references[random.below(self.references.len())].chars().collect::<Vec<_>>();
        let mut characters = sample();
        for _ in 0..random.below(4) {
            let at = random.below(characters.len() + 1);
            match random.below(4) {
                0 if at < characters.len() => drop(characters.remove(at)),
                1 => {
                    let tail = sample();
                    characters.truncate(at);
                    characters.extend(&tail[random.below(tail.len() + 1)..]);
                }
                2 if at < characters.len() => characters.insert(at, characters[at]),
                _ => characters.insert(at, random.pick(REFERENCE_CHARACTERS).chars().next().unwrap_or('a')),
            }
        }
        characters.into_iter().collect()
    }

    /// Case number `number` of a seed: its text, and for one in eight what its
    /// build is given.
    pub(crate) fn case(&self, seed: u64, number: u64) -> Case {
        let mut case = Case::of(&format!("seed-{seed}-{number}"), &self.text(seed, number));
        let random = Random::new(seed.wrapping_mul(0x1000_0000_0000).wrapping_add(number) ^ 0x61FE);
        if !random.one_in(8) {
            return case;
        }
        let pair = |pairs: &mut Vec<(String, String)>, name: &str, value: String| {
            if pairs.iter().all(|(known, _)| known != name) {
                pairs.push((name.to_owned(), value));
            }
        };
        for _ in 0..random.below(4) {
            let name = random.pick(if random.one_in(8) { PLATFORM_NAMES } else { NAMES });
            let value = random.pick(if random.one_in(3) { IMAGES } else { VALUES });
            pair(&mut case.args, name, value.to_owned());
        }
        for _ in 0..random.below(3) {
            let name = random.pick(if random.one_in(2) { STAGES } else { IMAGES });
            let source = match random.below(5) {
                0 => "local:folder".to_owned(),
                _ => format!("docker-image://{}", random.pick(IMAGES)),
            };
            pair(&mut case.contexts, name, source);
        }
        if random.one_in(4) {
            case.platforms = vec!["linux/arm/v7".to_owned(), "linux/amd64".to_owned()];
        }
        case
    }

    /// Text number `number` of a seed.
    pub(crate) fn text(&self, seed: u64, number: u64) -> String {
        let random = Random::new(seed.wrapping_mul(0x1000_0000_0000).wrapping_add(number));
        let damaged = !self.samples.is_empty() && random.one_in(5);
        let mut text = if damaged {
            self.samples[random.below(self.samples.len())].clone()
        } else {
            Maker {
                random: &random,
                escape: '\\',
                args: Vec::new(),
                stages: Vec::new(),
                in_stage: false,
                number: 0,
            }
            .dockerfile()
        };
        if damaged || random.one_in(8) {
            for _ in 0..=random.below(4) {
                text = self.damage(&text, &random);
            }
        }
        text
    }

    /// One change to some characters or lines.
    fn damage(&self, text: &str, random: &Random) -> String {
        let characters: Vec<char> = text.chars().collect();
        let from = random.below(characters.len() + 1);
        let to = (from + random.below(if random.one_in(4) { 40 } else { 4 })).min(characters.len());
        let (before, middle, after) = (
            characters[..from].iter(),
            characters[from..to].iter().collect::<String>(),
            characters[to..].iter(),
        );
        let middle = match random.below(6) {
            0 => String::new(),
            1 => middle.repeat(2),
            2 => random.pick(SPECIAL).to_owned(),
            3 => format!("{}{middle}", random.pick(SPECIAL)),
            4 => middle.chars().rev().collect(),
            _ => {
                // A line of another sample.
                let other = self.samples.get(random.below(self.samples.len())).map_or("", String::as_str);
                let lines: Vec<&str> = other.split_inclusive('\n').collect();
                format!("{middle}{}", lines.get(random.below(lines.len())).unwrap_or(&""))
            }
        };
        let before: String = before.collect();
        let after: String = after.collect();
        format!("{before}{middle}{after}")
    }
}

struct Maker<'a> {
    random: &'a Random,
    escape: char,
    args: Vec<String>,
    stages: Vec<String>,
    /// Whether the last of `stages` is the one under way.
    in_stage: bool,
    /// The number of the stage under way.
    number: usize,
}

impl Maker<'_> {
    fn dockerfile(mut self) -> String {
        let mut out = String::new();
        if self.random.one_in(40) {
            out.push('\u{feff}');
        }
        match self.random.below(16) {
            0 if self.random.one_in(2) => {
                for _ in 0..=self.random.below(3) {
                    out.push_str(self.random.pick(DIRECTIVES));
                    out.push('\n');
                }
            }
            1..=3 => {
                let mut lines = [
                    self.random.pick(SYNTAXES),
                    self.random.pick(ESCAPES),
                    self.random.pick(&["# check=skip=all", ""]),
                ];
                let turn = self.random.below(3);
                lines.rotate_left(turn);
                for line in lines.iter().filter(|line| !line.is_empty()) {
                    if line.ends_with('`') {
                        self.escape = '`';
                    }
                    out.push_str(line);
                    out.push('\n');
                }
            }
            _ => {}
        }
        for _ in 0..self.random.below(5) {
            let line = self.arg();
            self.instruction(&mut out, &line);
        }
        for stage in 0..=self.random.below(5) {
            self.number = stage;
            let line = self.from(stage);
            self.instruction(&mut out, &line);
            for _ in 0..self.random.below(5) {
                self.command(&mut out);
            }
        }
        if self.random.one_in(12) {
            out = out.replace('\n', "\r\n");
        }
        if self.random.one_in(12) {
            out.truncate(out.trim_end().len());
        }
        out
    }

    /// Writes an instruction over one line or several.
    fn instruction(&mut self, out: &mut String, line: &str) {
        if self.random.one_in(15) {
            out.push_str(self.random.pick(&["# a comment\n", "\n", "  \n", "  # FROM evil\n", "#\n"]));
        }
        if self.random.one_in(20) {
            out.push_str(self.random.pick(&[" ", "\t", "   "]));
        }
        let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
        match self.random.below(8) {
            0 => out.push_str(&keyword.to_lowercase()),
            1 => out.extend(
                keyword.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_lowercase() } else { c }),
            ),
            _ => out.push_str(keyword),
        }
        out.push_str(if self.random.one_in(15) { "  \t" } else { " " });
        let continued = self.random.one_in(4);
        for character in rest.chars() {
            let here = continued && self.random.one_in(if character == ' ' { 3 } else { 60 });
            if here {
                if character == ' ' && self.random.one_in(4) {
                    out.push(' ');
                }
                out.push(self.escape);
                out.push_str(self.random.pick(&[
                    "\n",
                    "\n",
                    "\n",
                    " \n",
                    "\t \n",
                    "\n\n",
                    "\n  # inside\n",
                    "\n# FROM evil\n",
                    "\r\n",
                ]));
            }
            out.push(character);
        }
        if self.random.one_in(30) {
            out.push_str(self.random.pick(&[" ", "\t", "  "]));
        }
        out.push('\n');
    }

    fn arg(&mut self) -> String {
        let mut line = "ARG".to_owned();
        for _ in 0..=self.random.below(8).saturating_sub(5) {
            let name = if self.random.one_in(15) {
                self.random.pick(PLATFORM_NAMES)
            } else {
                self.random.pick(NAMES)
            };
            line.push(' ');
            line.push_str(name);
            if !self.random.one_in(15) {
                line.push('=');
                line.push_str(&self.value());
            }
            self.args.push(name.to_owned());
        }
        line
    }

    /// A value that is often a host, a tag or an image.
    fn value(&mut self) -> String {
        match self.random.below(7) {
            0 if self.random.one_in(2) => self.random.pick(HOSTS).to_owned(),
            1 if self.random.one_in(2) => self.random.pick(IMAGES).to_owned(),
            0..=2 => self.random.pick(VALUES).to_owned(),
            3 if self.random.one_in(3) => self.random.pick(WORDS).to_owned(),
            4 => {
                let inner = self.word(1);
                format!("\"{inner}\"")
            }
            5 => format!("'{}'", self.random.pick(VALUES)),
            6 => self.word(0),
            _ => self.random.pick(VALUES).to_owned(),
        }
    }

    fn name(&mut self) -> String {
        if self.random.one_in(12) {
            return self.random.pick(PLATFORM_NAMES).to_owned();
        }
        if self.args.is_empty() || self.random.one_in(15) {
            return self.random.pick(if self.random.one_in(2) { UNSET } else { NAMES }).to_owned();
        }
        self.args[self.random.below(self.args.len())].clone()
    }

    /// Text with expansions, quotes and escapes, without blanks.
    fn word(&mut self, depth: usize) -> String {
        let mut out = String::new();
        for _ in 0..=self.random.below(3) {
            match self.random.below(if depth > 3 { 3 } else { 12 }) {
                0..=2 => out.push_str(self.random.pick(WORDS)),
                3 => {
                    out.push('$');
                    out.push_str(&self.name());
                }
                4 => out.push_str(&format!("${{{}}}", self.name())),
                5 => {
                    let quote = if self.random.one_in(2) { '"' } else { '\'' };
                    let inner = self.word(depth + 1).replace(quote, "");
                    out.push(quote);
                    out.push_str(&inner);
                    out.push(quote);
                }
                6 if self.random.one_in(2) => {
                    out.push(self.escape);
                    out.push_str(self.random.pick(&["$", "a", "\"", "'", "\\", "}", "/", "x"]));
                }
                _ => {
                    let expansion = self.expansion(depth);
                    out.push_str(&expansion);
                }
            }
        }
        out
    }

    fn expansion(&mut self, depth: usize) -> String {
        let name = self.name();
        match self.random.below(10) {
            0..=5 => {
                let operator = self.random.pick(&[":-", "-", ":+", "+", ":-", ":+", ":?", "?"]);
                let word = self.word(depth + 1);
                format!("${{{name}{operator}{word}}}")
            }
            6 | 7 => {
                let operator = self.random.pick(&["#", "##", "%", "%%"]);
                let pattern = self.pattern(depth);
                format!("${{{name}{operator}{pattern}}}")
            }
            _ => {
                let operator = self.random.pick(&["/", "//"]);
                let pattern = self.pattern(depth);
                let word = self.word(depth + 2);
                format!("${{{name}{operator}{pattern}/{word}}}")
            }
        }
    }

    fn pattern(&mut self, depth: usize) -> String {
        if depth < 2 && self.random.one_in(5) {
            self.word(depth + 2)
        } else {
            self.random.pick(PATTERNS).to_owned()
        }
    }

    /// A reference as FROM takes it.
    fn base(&mut self) -> String {
        if !self.stages.is_empty() && self.random.one_in(3) {
            return self.stage();
        }
        match self.random.below(14) {
            0..=5 => self.random.pick(IMAGES).to_owned(),
            6 => format!("\"{}\"", self.random.pick(IMAGES)),
            7 if self.random.one_in(10) => self.random.pick(BROKEN_IMAGES).to_owned(),
            7 | 8 => format!("r.io/{}:{}", self.random.pick(&["x", "a/b"]), self.expansion(0)),
            9 => format!("${{{}:-{}}}", self.name(), self.random.pick(IMAGES)),
            10 => format!("{}/img:{}", self.random.pick(HOSTS), format_args!("${}", self.name())),
            11 => format!("r.io/x{}", self.expansion(0)),
            12 if self.random.one_in(4) => self.word(0),
            12 if self.random.one_in(2) => format!("base-${{{}}}", self.random.pick(PLATFORM_NAMES)),
            _ => format!("${}", self.name()),
        }
    }

    /// The name of a stage, or nearly.
    fn stage(&mut self) -> String {
        // The stage under way is left out most of the time: it would be a circle.
        let until = self.stages.len()
            - usize::from(self.in_stage && !self.stages.is_empty() && !self.random.one_in(25));
        if until == 0 || self.random.one_in(12) {
            return self.random.pick(&["golang", "tools:1", "r.io/certs", "alpine"]).to_owned();
        }
        let name = self.stages[self.random.below(until)].clone();
        match self.random.below(20) {
            0 => name.to_uppercase(),
            1 => name.to_lowercase(),
            2 => format!("{name}:latest"),
            3 => format!("\"{name}\""),
            _ => name.to_lowercase(),
        }
    }

    fn from(&mut self, index: usize) -> String {
        let mut line = "FROM ".to_owned();
        self.in_stage = false;
        if self.random.one_in(8) {
            let platform = if self.random.one_in(4) {
                self.random.pick(PLATFORMS)
            } else {
                self.random.pick(&PLATFORMS[..4])
            };
            line.push_str(&format!("--platform={platform} "));
        }
        line.push_str(&self.base());
        if !self.random.one_in(3) {
            let name = match self.random.below(6) {
                0 => format!("base-{}", self.random.pick(&["amd64", "arm64", "linux"])),
                1 | 2 => format!("s{index}"),
                _ => self.random.pick(STAGES).to_owned(),
            };
            line.push_str(self.random.pick(&[" AS ", " as ", " As "]));
            line.push_str(&name);
            self.stages.push(name);
            self.in_stage = true;
        }
        if self.random.one_in(100) {
            line.push_str(self.random.pick(&[" # pinned", " AS", " AS a b", " x"]));
        }
        line
    }

    /// What --from names.
    fn source(&mut self) -> String {
        match self.random.below(8) {
            0..=2 => self.stage(),
            3 => self.random.below(if self.random.one_in(5) { 6 } else { self.number.max(1) }).to_string(),
            4 | 5 => self.random.pick(IMAGES).to_owned(),
            6 if self.random.one_in(10) => {
                let name = self.name();
                self.random.pick(&["$", "x$", "\\$x", "'x'", "-1", "+1", "00", "", "x y"]).replace('x', &name)
            }
            6 => format!("\"{}\"", self.random.pick(IMAGES)),
            _ => self.stage(),
        }
    }

    fn command(&mut self, out: &mut String) {
        let line = match self.random.below(16) {
            0..=3 => self.copy(),
            4..=6 => return self.run(out),
            7 => {
                let line = self.arg();
                self.args.truncate(8);
                line
            }
            8 => format!("ENV {}={}", self.random.pick(NAMES), self.random.pick(WORDS)),
            9 if self.random.one_in(2) => {
                let trigger =
                    if self.random.one_in(2) { self.copy() } else { format!("RUN {}true", self.mounts()) };
                format!("{} {trigger}", self.random.pick(&["ONBUILD", "ONBUILD ", "ONBUILD"]))
            }
            9 => "ONBUILD ENV a=b".to_owned(),
            10 => "WORKDIR /w".to_owned(),
            11 => self
                .random
                .pick(&[
                    "CMD [\"a\", \"b\"]",
                    "CMD a && b",
                    "ENTRYPOINT [ \"x\" ]",
                    "SHELL [\"/bin/sh\", \"-c\"]",
                ])
                .to_owned(),
            12 => self
                .random
                .pick(&[
                    "LABEL a=b c=\"d e\"",
                    "EXPOSE 80/tcp",
                    "USER 1000:1000",
                    "VOLUME /v",
                    "STOPSIGNAL 9",
                    "MAINTAINER me",
                ])
                .to_owned(),
            13 => "ADD https://example.com/x.tar /x".to_owned(),
            14 if self.random.one_in(60) => "HEALTHCHECK NONSENSE".to_owned(),
            14 => "HEALTHCHECK --interval=5s CMD true".to_owned(),
            _ => self.heredoc_copy(out),
        };
        if !line.is_empty() {
            self.instruction(out, &line);
        }
    }

    fn copy(&mut self) -> String {
        let mut flags = Vec::new();
        if !self.random.one_in(5) {
            flags.push(format!("--from={}", self.source()));
        }
        if self.random.one_in(4) {
            flags.push(
                self.random
                    .pick(&[
                        "--chown=1:2",
                        "--chown=${A}:b",
                        "--link",
                        "--chmod=644",
                        "--link=true",
                        "--parents",
                        "--exclude=*.md",
                    ])
                    .to_owned(),
            );
        }
        if self.random.one_in(60) {
            flags.push(self.random.pick(&["--nonsense", "--from", "--FROM=x", "--link=maybe"]).to_owned());
        }
        if self.random.one_in(3) {
            flags.reverse();
        }
        let arguments =
            self.random.pick(&["/a /b", "a b c/", "[\"a\", \"b\"]", "--from=evil /b", ". .", "<<EOF", "a"]);
        let arguments = if self.random.one_in(60) { arguments } else { "/a /b" };
        let verb = if self.random.one_in(15) { "ADD" } else { "COPY" };
        if verb == "ADD" {
            flags.retain(|flag| self.random.one_in(15) || !flag.contains("from") && flag != "--parents");
        }
        format!("{verb} {}{}{arguments}", flags.join(" "), if flags.is_empty() { "" } else { " " })
    }

    fn mounts(&mut self) -> String {
        let mut out = String::new();
        for _ in 0..self.random.below(3) {
            let mut fields = Vec::new();
            if self.random.one_in(2) {
                let kind = self.random.pick(&["bind", "cache", "tmpfs", "secret", "ssh", "BIND", "$A"]);
                fields.push(format!(
                    "{}={}",
                    self.random.pick(&["type", "type", "TYPE"]),
                    if self.random.one_in(3) { kind } else { "bind" }
                ));
            }
            if !self.random.one_in(4) {
                let key = if self.random.one_in(8) {
                    self.random.pick(&["FROM", "From", "fro", "from "])
                } else {
                    "from"
                };
                fields.push(format!("{key}={}", self.source()));
            }
            if !self.random.one_in(12) {
                fields.push(format!("{}=/m", self.random.pick(&["target", "dst", "destination"])));
            }
            if self.random.one_in(6) {
                fields.push(
                    self.random
                        .pick(&[
                            "ro",
                            "rw=true",
                            "id=x",
                            "source=/a",
                            "sharing=locked",
                            "uid=1",
                            "\"a=b\"",
                            "readonly",
                        ])
                        .to_owned(),
                );
            }
            if self.random.one_in(3) {
                fields.reverse();
            }
            let joined = fields.join(",");
            let value = match self.random.below(10) {
                0 => format!("\"{joined}\""),
                1 => joined.replace("from=", "\"from=").replacen(',', "\",", 1),
                _ => joined,
            };
            out.push_str(&format!("--mount={value} "));
        }
        if self.random.one_in(12) {
            out.push_str(self.random.pick(&["-- ", "--network=none ", "--security=sandbox "]));
        }
        if self.random.one_in(80) {
            out.push_str(self.random.pick(&["--mount ", "--nonsense ", "--mount= "]));
        }
        out
    }

    fn run(&mut self, out: &mut String) {
        let mounts = self.mounts();
        let body = match self.random.below(10) {
            0 => "echo --mount=from=evil,target=/x".to_owned(),
            1 => "[\"sh\", \"-c\", \"x\"]".to_owned(),
            2..=4 => {
                let word = *self.random.pick(&[
                    &"<<EOF",
                    &"<<-EOF",
                    &"<<'EOF'",
                    &"<<\"EOF\"",
                    &"<< EOF",
                    &"cat <<EOF",
                    &"python3 <<-'EOF'",
                    &"3<<EOF",
                    &"<<EOF cat",
                    &"<<E\"O\"F",
                    &"<<EOF <<END",
                ]);
                self.instruction(out, &format!("RUN {mounts}{word}"));
                self.heredoc_body(out, word.contains("END"));
                return;
            }
            5 if self.random.one_in(3) => {
                self.random.pick(&["x<<EOF", "\"<<EOF\"", "a <<< EOF", "echo $((1 << 2)) "]).to_owned()
            }
            5 => "true && echo \\$x ${A:-b}".to_owned(),
            _ => "true".to_owned(),
        };
        self.instruction(out, &format!("RUN {mounts}{body}"));
    }

    fn heredoc_copy(&mut self, out: &mut String) -> String {
        let word = *self.random.pick(&[&"<<EOF", &"<<-'EOF'", &"<< EOF", &"<<-EOF"]);
        let from = if self.random.one_in(6) { format!("--from={} ", self.source()) } else { String::new() };
        self.instruction(out, &format!("{} {from}{word} /f", self.random.pick(&["COPY", "ADD"])));
        self.heredoc_body(out, false);
        String::new()
    }

    fn heredoc_body(&mut self, out: &mut String, second: bool) {
        for _ in 0..self.random.below(4) {
            out.push_str(self.random.pick(HEREDOC_LINES));
            out.push('\n');
        }
        if !self.random.one_in(60) {
            out.push_str(if self.random.one_in(6) { "\tEOF\nEOF\n" } else { "EOF\n" });
        }
        if second {
            out.push_str("END\n");
        }
    }
}
