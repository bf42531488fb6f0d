# syntax=docker/dockerfile:1
# The same program in the role `scraper`, with headless Chromium: it reads pages for the others, and is reached by them alone.
# Built on the image of Dockerfile, which the name `quiz-stats` must stand for:
#
#   docker build -t quiz-stats .
#   docker build -t quiz-stats-scraper -f scraper.Dockerfile .

# hadolint ignore=DL3006
FROM quiz-stats
# hadolint ignore=DL3002
USER root
# Fonts, or formulas and other scripts are boxes; an init, because Chromium leaves processes behind that somebody must reap.
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium fonts-dejavu-core fonts-noto-core tini \
    && rm -rf /var/lib/apt/lists/*
LABEL org.opencontainers.image.title="quiz-stats-scraper"
USER 10001:10001
# Chromium keeps its profile and its shared memory there; a read-only root needs it as a tmpfs.
ENV HOME=/tmp
ENTRYPOINT ["tini", "--", "quiz-stats"]
CMD ["serve", "--role", "scraper"]
