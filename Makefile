# The mirror's commands. Each is a few lines: the work is in scripts/ and in the `mirror` program (crates/mirror).

.DEFAULT_GOAL := help
SHELL := /bin/bash

# What the commands take. Values go through as they are, quotes, dollars and all.
OPTIONS := SOURCE MIC PROMPT SIZE PROMPTS SECONDS OUT PACK IMAGE NEGATIVE PROCESSOR STRENGTH STEPS GUIDANCE SEED FIT NAME NEW NODE YAML ENV DATAFLOW URL TOPICS FILE TIMES MINUTES
quote = '$(subst ','\'',$(1))'
option = $(if $(value $(1)),--$(2) $(call quote,$(value $(1))))

RUN = $(call option,SOURCE,source) $(call option,MIC,mic) $(call option,PROMPT,prompt) $(call option,SIZE,size) $(call option,PACK,pack) \
  $(call option,DATAFLOW,dataflow) $(call option,NAME,name)
DEMO = $(call option,SOURCE,source) $(call option,PROMPTS,prompts) $(call option,MIC,mic) $(call option,SECONDS,seconds) \
  $(call option,SIZE,size) $(call option,OUT,out) $(call option,PACK,pack)
SWAP = $(call quote,$(value NODE)) $(call option,YAML,yaml) $(call option,DATAFLOW,dataflow) $(call option,NAME,name) \
  $(foreach pair,$(value ENV),--env $(call quote,$(pair)))
# One picture. Without IMAGE it is the cat, without PROMPT the pencil drawing.
STILL = --image $(or $(and $(value IMAGE),$(call quote,$(value IMAGE))),assets/cat.jpg) \
  --prompt $(or $(and $(value PROMPT),$(call quote,$(value PROMPT))),$(1)) $(call option,NEGATIVE,negative) \
  $(call option,STRENGTH,strength) $(call option,SEED,seed) $(call option,SIZE,size) $(call option,FIT,fit) \
  $(call option,PACK,pack)
APPLY = $(call STILL,"a pencil drawing") $(call option,PROCESSOR,processor) $(call option,STEPS,steps) \
  $(call option,GUIDANCE,guidance) --out $(or $(and $(value OUT),$(call quote,$(value OUT))),out/apply.png)
COMPARE = $(call STILL,"Oil painting in autumn colours") $(call option,OUT,out)

# make would hand them to the programs as environment variables as well; bash would take SECONDS for its own.
unexport $(OPTIONS)

.PHONY: help setup build run demo apply compare operator top swap rewire chat test check bench bench-voice bench-web bench-swap eval eval-voice parity clean record replay kills soak

help: ## This list
	@echo "Mirror: a camera's picture goes in, a painted one comes out. Commands:"
	@echo
	@sed -n 's/^\([a-z]*\):.* ## /\1\t/p' Makefile | awk -F'\t' '{printf "  make %-8s %s\n", $$1, $$2}'
	@echo
	@echo "  make run  [SOURCE=0|clip.mp4|folder|rtsp://…|pattern] [MIC=webcam|spoken.wav|none] [PROMPT=\"a pencil drawing\"] [SIZE=512] [PACK=models/starter]"
	@echo "  make demo [SOURCE=…] [PROMPTS=\"a pencil drawing;neon lights\" | MIC=spoken.wav] [SECONDS=20, with MIC as long as it takes] [SIZE=256] [OUT=out/demo]"
	@echo "  make apply   [IMAGE=me.jpg] [PROMPT=\"a pencil drawing\"] [PROCESSOR=turbo] [STRENGTH=1] [SIZE=512] [OUT=out/apply.png]"
	@echo "  make operator NAME=grade|kaleidoscope|off, make operator NEW=sepia"
	@echo "  make swap NODE=diffusion [ENV=\"DIFFUSION_THREADS=1\"] [YAML=node.yml], make rewire [DATAFLOW=dataflow.fused.yml]"
	@echo "  make top [URL=http://tower:8080]"
	@echo "  make compare [IMAGE=me.jpg] [PROMPT=\"Oil painting in autumn colours\"] [OUT=out/compare.png]"

setup: ## Installs what is missing: packages, dora, ONNX Runtime (first time 2 to 6 minutes, then under a second)
	@scripts/setup

build: setup ## Builds everything (first time 15 to 30 minutes on two cores, then seconds)
	@. scripts/common && announce_build && cargo build --release --workspace

run: build ## The mirror, until Ctrl-C: camera or bundled clip, microphone, window, page on http://127.0.0.1:8080
	@target/release/mirror run $(RUN)

demo: build ## Without a screen: paints SECONDS seconds a run and writes a report, a sheet and a film into OUT
	@target/release/mirror demo $(DEMO)

apply: build ## One picture: paints IMAGE as PROMPT says into OUT
	@target/release/mirror apply $(APPLY)

compare: build ## Every installed processor on IMAGE: a captioned sheet with times in OUT
	@target/release/mirror compare $(COMPARE)

operator: setup ## Builds operators/NAME and swaps it into the mirror that runs; NAME=off takes it out, NEW=name starts one
	@scripts/operator $(if $(value NEW),new $(call quote,$(value NEW)),$(call quote,$(value NAME)))

top: ## The graph as it runs: fps, times, age, drops, processor and memory of each node; q ends it
	@target/release/mirror top $(call option,URL,url) $(call option,DATAFLOW,dataflow) $(call option,NAME,name)

swap: build ## Replaces NODE of the mirror that runs by its new build, or with ENV="KEY=VALUE …"; all others run on
	@target/release/mirror swap $(SWAP)

rewire: build ## Checks DATAFLOW (dataflow.yml) as it was edited, and starts again what of the running mirror it changes
	@target/release/mirror rewire $(if $(value DATAFLOW),$(call quote,$(value DATAFLOW))) $(call option,NAME,name)

record: ## Messages of the mirror that runs into an MCAP file: OUT, TOPICS, SECONDS; OUT=mirror.mp4 is a film of it
	@target/release/mirror record $(if $(filter %.mp4,$(value OUT)),$(call option,OUT,mp4),$(call option,OUT,out)) $(call option,TOPICS,topics) $(call option,SECONDS,seconds) $(call option,NAME,name)

replay: build ## A recording instead of the camera: FILE
	@target/release/mirror replay $(call quote,$(value FILE))

chat: ## The terminal of a mirror that runs: type a prompt, or /help
	@target/release/chat

test: ## All that CI runs: check, then every test (7 minutes after a build)
	@scripts/setup --tests
	@scripts/check
	@scripts/test

check: setup ## Format, lints, spelling, graphs (2 minutes after a build)
	@scripts/check

bench: build ## Speed against the limit, and of the whole mirror, into benches/ (eight minutes on an idle machine)
	@target/release/bench

bench-voice: build ## From the last word said to the picture, and what the film loses meanwhile, into benches/ (five minutes)
	@target/release/spoken

bench-web: build ## What the page costs: ages, shares of 64 visitors, those who do nothing; into benches/WEB.md (three minutes on an idle machine)
	@target/release/bench-web $(call option,SECONDS,seconds) $(call option,OUT,out)

bench-swap: build ## Replaces every node of a running mirror TIMES times, into benches/SWAPS.md (20 times: 40 minutes)
	@target/release/kills --swap $(call option,TIMES,times) $(call option,SIZE,size) $(call option,OUT,out)

kills: build ## Kills every node of a running mirror TIMES times, into benches/KILLS.md (20 times: half an hour)
	@target/release/kills $(call option,TIMES,times) $(call option,SIZE,size) $(call option,OUT,out)

soak: build ## Runs the mirror MINUTES minutes and draws memory, frame rate and age, into benches/SOAK.md
	@target/release/soak $(call option,MINUTES,minutes) $(call option,SIZE,size) $(call option,OUT,out)

eval-voice: ## Measures the starter voice pack against its goals, into models/evaluation (10 minutes; needs espeak-ng, flite, festival)
	@scripts/eval --voice

eval: ## Measures the starter pack against its goals, into models/evaluation (10 to 20 minutes)
	@scripts/eval

parity: setup ## Compares with diffusers itself (first time 15 minutes and 6 GB of packages, then 10 minutes)
	@scripts/parity

clean: ## Removes what was built and recorded; keeps what `make setup` installed
	@rm -rf out
	@. scripts/common && cargo clean
