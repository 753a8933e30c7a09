//! The `fromguard` program.

fn main() -> std::process::ExitCode {
    fromguard::cli::run()
}
