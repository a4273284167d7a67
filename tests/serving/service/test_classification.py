"""Classify, Regress and MultiInference, from examples with and without a context."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.serving.service.classification import CLASSIFY, REGRESS
from tfwarpgan.serving.wire import messages

PREDICTION = "/tensorflow.serving.PredictionService/"


@pytest.fixture(scope="module")
def client(serve, everything):
    with serve(everything) as client:
        yield client


def example(**features):
    found = messages.Example()
    for name, value in features.items():
        found.features.feature[name].float_list.value.append(value)
    return found


def examples(*values, context=None):
    if context is None:
        return messages.Input(example_list={"examples": [example(x=value) for value in values]})
    found = [messages.Example() if value is None else example(x=value) for value in values]
    return messages.Input(example_list_with_context={"examples": found, "context": context})


def request_of(kind, signature, found):
    return kind(model_spec={"name": "tiny", "signature_name": signature}, input=found)


def classify(client, found, signature="classify"):
    request = request_of(messages.ClassificationRequest, signature, found)
    return client.call(PREDICTION + "Classify", request, messages.ClassificationResponse)


def regress(client, found, signature="regress"):
    request = request_of(messages.RegressionRequest, signature, found)
    return client.call(PREDICTION + "Regress", request, messages.RegressionResponse)


def test_classify(client):
    answer = classify(client, examples(0.25, 1.0))
    rows = [[(c.label, c.score) for c in row.classes] for row in answer.result.classifications]
    assert rows == [[("low", 0.75), ("high", 0.25)], [("low", 0.0), ("high", 1.0)]]
    assert answer.model_spec.version.value == 1 and answer.model_spec.signature_name == "classify"


def test_regress(client):
    answer = regress(client, examples(0.25, 3.0))
    assert [found.value for found in answer.result.regressions] == [0.5, 6.0]


def test_a_context_is_put_before_each_example(client):
    answer = regress(client, examples(None, 3.0, context=example(x=5.0, other=1.0)))
    assert [found.value for found in answer.result.regressions] == [10.0, 6.0]


def test_what_cannot_be_inferred(client, refused):
    with refused("INVALID_ARGUMENT", "Input is empty."):
        classify(client, examples())
    with refused("INVALID_ARGUMENT", "Input is empty."):
        regress(client, messages.Input())
    with refused("INVALID_ARGUMENT", "No signature was found with the name: none"):
        classify(client, examples(1.0), "none")
    with refused("INVALID_ARGUMENT", "Expected one input Tensor."):
        classify(client, examples(1.0), "serving_default")
    with refused("FAILED_PRECONDITION", "No regression inputs found in SignatureDef: "):
        regress(client, examples(1.0), "positive")
    with refused("FAILED_PRECONDITION", "Expected classification signature outputs to contain at least one of"):
        classify(client, examples(1.0), "regress")
    with refused("INVALID_ARGUMENT", "Expected one output Tensor."):
        regress(client, examples(1.0), "classify")
    with refused("INVALID_ARGUMENT"):  # TensorFlow's own: the feature is missing
        regress(client, examples(None, context=messages.Example()))


@pytest.fixture(scope="module")
def shared(serve, tmp_path_factory):
    """A service of a model of TensorFlow 1, whose signatures take the same tensor."""
    folder = tmp_path_factory.mktemp("shared") / "tiny"
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        inputs = tf.compat.v1.placeholder(tf.string, [None], "inputs")
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]
        info = tf.compat.v1.saved_model.utils.build_tensor_info
        build = tf.compat.v1.saved_model.signature_def_utils.build_signature_def
        scores, values = info(tf.stack([x, -x], axis=1)), info(x * 3)
        builder = tf.compat.v1.saved_model.Builder(str(folder / "1"))
        signatures = {
            "c": build({"inputs": info(inputs)}, {"scores": scores}, CLASSIFY),
            "r": build({"inputs": info(inputs)}, {"outputs": values}, REGRESS),
        }
        builder.add_meta_graph_and_variables(session, [tf.saved_model.SERVING], signatures)
        builder.save()
    with serve(folder) as client:
        yield client


def infer(client, tasks, found):
    request = messages.MultiInferenceRequest(
        tasks=[{"model_spec": {"name": name, "signature_name": s}, "method_name": m} for name, s, m in tasks],
        input=found,
    )
    return client.call(PREDICTION + "MultiInference", request, messages.MultiInferenceResponse).results


def test_several_signatures_from_the_same_examples(shared):
    first, second = infer(shared, [("tiny", "c", CLASSIFY), ("tiny", "r", REGRESS)], examples(2.0))
    assert [c.score for c in first.classification_result.classifications[0].classes] == [2.0, -2.0]
    assert [found.value for found in second.regression_result.regressions] == [6.0]
    assert [r.model_spec.signature_name for r in (first, second)] == ["c", "r"] and first.model_spec.version.value == 1


@pytest.mark.parametrize(
    "tasks, code, text",
    [
        ([("tiny", "c", CLASSIFY)] * 2, "INVALID_ARGUMENT", "Duplicate evaluation of signature: c"),
        ([("tiny", "c", CLASSIFY), ("other", "r", REGRESS)], "INVALID_ARGUMENT", "All ModelSpecs in a MultiInference"),
        (
            [("tiny", "c", CLASSIFY), ("", "r", REGRESS)],
            "INVALID_ARGUMENT",
            "Found ModelSpec with an empty model name.",
        ),
        ([("tiny", "x", CLASSIFY)], "INVALID_ARGUMENT", "Requested signature not found in model graph: x"),
        ([("tiny", "c", "guess")], "UNIMPLEMENTED", "Unsupported signature method_name: guess"),
    ],
)
def test_what_cannot_be_inferred_together(shared, refused, tasks, code, text):
    with refused(code, text):
        infer(shared, tasks, examples(1.0))


def test_signatures_may_have_tensors_of_their_own(client):
    first, second = infer(client, [("tiny", "classify", CLASSIFY), ("tiny", "regress", REGRESS)], examples(0.25))
    assert [c.score for c in first.classification_result.classifications[0].classes] == [0.75, 0.25]
    assert [found.value for found in second.regression_result.regressions] == [0.5]


@pytest.mark.parametrize(
    "outputs, text",
    [
        ({"scores": np.zeros(2, np.float32)}, "Expected Tensor shape"),
        ({"scores": np.zeros([2, 2])}, "Expected scores Tensor of DT_FLOAT"),
        ({"scores": np.zeros([3, 2], np.float32)}, "Expected scores output batch size of 2. Got: 3"),
        ({"outputs": np.zeros([2, 2], np.float32)}, "Expected output Tensor shape to be either"),
        ({"outputs": np.zeros(3, np.float32)}, "Input batch size did not match output batch size: 2 vs. 3"),
        ({"outputs": np.zeros(2, np.int32)}, "Expected output Tensor of DT_FLOAT"),
    ],
)
def test_outputs_that_are_no_result(outputs, text):
    from tfwarpgan.serving.service import classification
    from tfwarpgan.serving.service.servables import Signature
    from tfwarpgan.serving.wire.statuses import ServingError

    names = {name: name for name in outputs}
    signature = Signature("name", messages.SignatureDef(), {"inputs": "inputs"}, names, {}, {})

    class Model:
        def run(self, feeds, fetches):
            return [outputs[name] for name in fetches]

    task = classification.Task(signature, CLASSIFY if "scores" in outputs else REGRESS)
    with pytest.raises(ServingError, match=text.replace(".", r"\.")):
        classification.infer(Model(), [task], examples(1.0, 2.0))
