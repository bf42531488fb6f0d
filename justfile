# Short names for what one does often; `just` lists them. Everything here also works without just.

_default:
    @just --list

# Everything that CI checks; `just check fmt clippy` for some steps
check *steps:
    ./test {{steps}}

# Tests alone, by name where given
test *filter:
    cargo nextest run --locked {{filter}}

# Build, fetch a model, serve, play an example quiz
run *args:
    ./run {{args}}

# Micro benchmarks; docs/benchmarks.md has the rest
bench *args:
    cargo bench --locked {{args}}

# The code's documentation in a browser
doc:
    cargo doc --no-deps --open

# Format, and take the linters' safe corrections
fix:
    cargo clippy --all-targets --fix --allow-dirty --allow-staged
    cargo fmt

# Make the pictures of the documents anew; needs Chromium and pngquant
pictures:
    cargo nextest run --locked --test it --run-ignored only -E 'test(=picture::all)'
    pngquant --force --ext .png --quality 85-98 --speed 1 docs/images/*.png
