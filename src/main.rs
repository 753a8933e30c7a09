//! The `fromguard` program.

/// Reading files is many small allocations, and then few milliseconds of anything else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    fromguard::cli::run()
}
