"""Codes and texts are those of TensorFlow Serving, line by line; each over a socket."""

import grpc
import numpy as np
import pytest

from tfwarpgan.serving.wire import messages, tensors

PREDICTION, MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"


@pytest.fixture(scope="module")
def client(serve, everything):
    with serve(everything) as client:
        yield client


def test_the_answer_names_version_and_signature(client, build_request, rows):
    answer = client.send(build_request(rows(2), name="tiny"))
    assert answer.model_spec.version.value == 1 and answer.model_spec.signature_name == "serving_default"
    assert list(answer.outputs["y"].float_val) == [1, 3, 5, 7, 9, 11] and not answer.outputs["y"].tensor_content
    assert list(answer.outputs["sum"].float_val) == [3, 12]


def test_bytes_are_kept(client):
    sent = [b"a\0\0", b"\0xyz", b"", b"\0"]
    _, arrays = client.predict({"x": sent}, signature_name="strings")
    assert arrays["y"].tolist() == sent and arrays["length"].tolist() == [3, 4, 0, 1]
    assert arrays["first"].shape == () and arrays["first"].item() == b"a\0\0"


@pytest.mark.parametrize("method", ["Predict", "Classify", "Regress", "GetModelMetadata", "MultiInference"])
def test_no_model_spec(client, refused, method):
    request, response = METHODS[method]
    with refused("INVALID_ARGUMENT", "Missing ModelSpec"):
        client.call(PREDICTION + method, request(), response)


@pytest.mark.parametrize("method", ["Predict", "Classify", "Regress"])
def test_no_name(client, refused, method):
    request, response = METHODS[method]
    with refused("INVALID_ARGUMENT", "ModelSpec has no name specified."):
        client.call(PREDICTION + method, request(model_spec={"signature_name": "x"}), response)


@pytest.mark.parametrize(
    "spec, code, text",
    [
        ({"name": "who"}, "NOT_FOUND", "Servable not found for request: Latest(who)"),
        ({"name": "who", "version": 1}, "NOT_FOUND", "Servable not found for request: Specific(who, 1)"),
        ({"name": "tiny", "version": 7}, "NOT_FOUND", "Servable not found for request: Specific(tiny, 7)"),
        ({"name": "tiny", "version_label": "l"}, "INVALID_ARGUMENT", "Unrecognized servable version label: l"),
        ({"name": "tiny", "signature_name": "s"}, "FAILED_PRECONDITION", 'Serving signature key "s" not found.'),
    ],
)
def test_what_is_not_served(client, refused, rows, spec, code, text):
    with refused(code, text):
        client.predict(rows(1), **spec)


@pytest.mark.parametrize(
    "names, text",
    [
        ("x", "1!=2 len({x}) != len({x,z}). Sent extra: {}. Missing but required: {z}."),
        ("xyz", "3!=2 len({x,y,z}) != len({x,z}). Sent extra: {y}. Missing but required: {}."),
        ("a", "1!=2 len({a}) != len({x,z}). Sent extra: {a}. Missing but required: {x,z}."),
        ("", "0!=2 len({}) != len({x,z}). Sent extra: {}. Missing but required: {x,z}."),
    ],
)
def test_the_number_of_inputs_differs(client, refused, names, text):
    with refused("INVALID_ARGUMENT", "input size does not match signature: " + text):
        client.predict({name: np.zeros([1, 3], np.float32) for name in names})


def test_an_input_has_another_name(client, refused, rows):
    inputs = rows(1)
    inputs["w"] = inputs.pop("z")
    with refused(
        "INVALID_ARGUMENT", "input tensor alias not found in signature: w. Inputs expected to be in the set {x,z}."
    ):
        client.predict(inputs)


def test_a_tensor_cannot_be_parsed(client, refused, rows):
    broken = messages.TensorProto(dtype=1, tensor_content=b"123", tensor_shape={"dim": [{"size": 1}]})
    with refused("INVALID_ARGUMENT", "tensor parsing error: z"):
        client.predict({**rows(1), "z": broken})


def test_output_filters(client, refused, rows):
    _, arrays = client.predict(rows(1), output_filter=["sum"])
    assert list(arrays) == ["sum"]
    with refused(
        "INVALID_ARGUMENT", "output tensor alias not found in signature: o Outputs expected to be in the set {sum,y}."
    ):
        client.predict(rows(1), output_filter=["o"])
    with refused("INVALID_ARGUMENT", "duplicate output tensor alias: y"):
        client.predict(rows(1), output_filter=["y", "y"])


def test_a_wrong_type(client, refused, rows):
    inputs = rows(1)
    with refused("INVALID_ARGUMENT", "Expects arg[0] to be float but double is provided"):
        client.predict({**inputs, "x": inputs["x"].astype(np.float64)})
    with refused("INVALID_ARGUMENT", "Expects arg[1] to be float but string is provided"):
        client.predict({**inputs, "z": np.array([b"a"])})


def test_metadata_fields(client, refused):
    request, response = METHODS["GetModelMetadata"]
    with refused("INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field"):
        client.call(PREDICTION + "GetModelMetadata", request(model_spec={"name": "tiny"}), response)
    with refused("INVALID_ARGUMENT", "Metadata field weights is not supported"):
        wrong = request(model_spec={"name": "tiny"}, metadata_field=["weights"])
        client.call(PREDICTION + "GetModelMetadata", wrong, response)
    right = request(model_spec={"name": "tiny"}, metadata_field=["signature_def"])
    answer = client.call(PREDICTION + "GetModelMetadata", right, response)
    found = messages.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(found) and answer.model_spec.version.value == 1
    default = found.signature_def["serving_default"]
    assert set(default.inputs) == {"x", "z"} and set(default.outputs) == {"y", "sum"}
    assert [dim.size for dim in default.inputs["x"].tensor_shape.dim] == [-1, 3]
    assert default.method_name == "tensorflow/serving/predict"


def test_status(client, refused):
    assert client.status() == {1: 30} and client.status(version=1) == {1: 30}
    with refused("INVALID_ARGUMENT", "Missing ModelSpec"):
        client.call(MODEL + "GetModelStatus", messages.GetModelStatusRequest(), messages.GetModelStatusResponse)
    with refused("NOT_FOUND", "Could not find any versions of model who"):
        client.status(name="who")
    with refused("NOT_FOUND", "Could not find version 9 of model tiny"):
        client.status(version=9)


def test_a_deadline_passes_in_the_run_and_the_service_goes_on(client, refused, rows):
    with refused("DEADLINE_EXCEEDED"):
        client.predict({"steps": np.int32([10**9])}, timeout=0.2, signature_name="slow")
    assert client.predict(rows(1))[0] == 1


def test_the_text_of_a_deadline(client, everything):
    """A client's own clock is the first to say so; this is what the service says."""
    from tfwarpgan.serving.wire.statuses import ServingError

    spec = messages.ModelSpec(name="tiny")
    with client.server.models.servable(spec) as servable:
        slow = servable.signatures["slow"]
        with pytest.raises(ServingError, match="^Timed out waiting for notification$") as caught:
            servable.run({slow.inputs["steps"]: np.int32([10**9])}, [slow.outputs["counted"]], timeout=0.1)
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_a_reload_is_refused_unless_allowed(client, refused):
    with refused("PERMISSION_DENIED", "This service takes no new configuration"):
        client.reload({})


def test_an_unknown_method(client, refused):
    with refused("UNIMPLEMENTED"):
        client.call(PREDICTION + "Guess", messages.PredictRequest(), messages.PredictResponse)


def test_bytes_that_are_no_message(client):
    call = client.channel.unary_unary(PREDICTION + "Predict")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\xff\xff\xff", timeout=10)
    assert caught.value.code().name == "INTERNAL" and "The message is no PredictRequest" in caught.value.details()
    assert client.status() == {1: 30}


def test_all_types_of_an_answer_are_typed_fields():
    wire = messages.TensorProto.FromString(tensors.to_wire(np.uint8([200])))
    assert list(wire.int_val) == [200]


METHODS = {
    "Predict": (messages.PredictRequest, messages.PredictResponse),
    "Classify": (messages.ClassificationRequest, messages.ClassificationResponse),
    "Regress": (messages.RegressionRequest, messages.RegressionResponse),
    "GetModelMetadata": (messages.GetModelMetadataRequest, messages.GetModelMetadataResponse),
    "MultiInference": (messages.MultiInferenceRequest, messages.MultiInferenceResponse),
}
