# make demo: the whole way on the shipped pictures.  make test: the whole suite.  Needs only Python 3.10 to 3.12.
PYTHON ?= python3
VENV ?= .venv
RUN ?= runs/demo
BIN = $(VENV)/bin
# More flags of the demo's training, which win over configs/demo.flags.
FLAGS ?=

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test lint clean

demo: $(VENV)/.installed
	@echo "== 1/5 prepare the shipped pictures"
	$(BIN)/python -m tfwarpgan.prepare --flagfile=configs/demo.flags
	@echo "== 2/5 train the three stages"
	$(BIN)/python -m tfwarpgan.train --flagfile=configs/demo.flags --run_dir=$(RUN) $(FLAGS)
	@echo "== 3/5 evaluate on the test pairs"
	$(BIN)/python -m tfwarpgan.evaluate --run_dir=$(RUN)
	@echo "== 4/5 synthesize some test pairs"
	people=$$($(BIN)/python -c 'from tfwarpgan.data.layouts import people; print(people.unpack())') && \
	awk 'NR == 1 || NR % 100 == 2' "$$people/market-pairs-test.csv" > $(RUN)/pairs.csv && \
	$(BIN)/python -m tfwarpgan.synthesize --run_dir=$(RUN) --pairs=$(RUN)/pairs.csv --output_dir=$(RUN)/synthesized \
	    --image_dir="$$people/bounding_box_test" --parsing_dir="$$people/parsing" \
	    --annotation="$$people/market-annotation-test.csv"
	@echo "== 5/5 export the SavedModel"
	$(BIN)/python -m tfwarpgan.export --run_dir=$(RUN) --export_dir=$(RUN)/export/people
	@echo
	@echo "Pictures:   $(RUN)/evaluation/index.html, $(RUN)/evaluation/grid.png and $(RUN)/synthesized/"
	@echo "Metrics:    $(RUN)/evaluation/metrics.json"
	@echo "SavedModel: $(RUN)/export/people/"
	@echo "Curves:     $(BIN)/tensorboard --logdir=$(RUN)"

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# Stamp files: an installation is made anew only when what it depends on has changed. It is an editable one, so that
# a change of the sources needs no second installation.
$(VENV)/.installed: setup.py pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -e '.[tensorflow]'
	@touch $@

$(VENV)/.installed-dev: setup.py pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; (3, 10) <= sys.version_info[:2] <= (3, 12) or sys.exit('tfwarpgan needs \
	Python 3.10, 3.11 or 3.12, and $(PYTHON) is %d.%d: say make PYTHON=python3.12' % sys.version_info[:2])"
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist *.egg-info
