"""The messages go back and forth with TensorFlow's own and with those of tensorflow-serving-api, byte by byte."""

import importlib
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from tfwarpgan.serving.wire import messages

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Modules of the package tensorflow-serving-api, with the messages that they describe.
PEERS = {
    "apis.predict_pb2": ["PredictRequest", "PredictResponse"],
    "apis.model_pb2": ["ModelSpec"],
    "apis.classification_pb2": ["ClassificationRequest", "ClassificationResponse"],
    "apis.regression_pb2": ["RegressionRequest", "RegressionResponse"],
    "apis.inference_pb2": ["MultiInferenceRequest", "MultiInferenceResponse"],
    "apis.get_model_metadata_pb2": ["GetModelMetadataRequest", "GetModelMetadataResponse", "SignatureDefMap"],
    "apis.get_model_status_pb2": ["GetModelStatusRequest", "GetModelStatusResponse"],
    "apis.model_management_pb2": ["ReloadConfigRequest", "ReloadConfigResponse"],
    "apis.prediction_log_pb2": ["PredictionLog"],
    "config.model_server_config_pb2": ["ModelServerConfig"],
}


def differences(ours, theirs, path, seen):
    """Fields of ours that theirs has otherwise or not at all, through all messages below."""
    if ours.full_name in seen:
        return []
    seen.add(ours.full_name)
    found = [] if ours.full_name == theirs.full_name else [f"{path}: {ours.full_name} and {theirs.full_name}"]
    for field in ours.fields:
        peer = theirs.fields_by_name.get(field.name)
        if peer is None or (field.number, field.type) != (peer.number, peer.type):
            found.append(f"{path}.{field.name}")
        elif (field.containing_oneof and field.containing_oneof.name) != (
            peer.containing_oneof and peer.containing_oneof.name
        ):
            found.append(f"{path}.{field.name}: oneof")
        elif field.message_type:
            found += differences(field.message_type, peer.message_type, f"{path}.{field.name}", seen)
        elif field.enum_type:
            values = {value.name: value.number for value in field.enum_type.values}
            peers = {value.name: value.number for value in peer.enum_type.values}
            found += [
                f"{path}.{field.name}: {name}" for name in values if peers.get(name, values[name]) != values[name]
            ]
    return found


@pytest.mark.parametrize(
    "name, theirs",
    [
        ("TensorProto", tensor_pb2.TensorProto),
        ("SignatureDef", meta_graph_pb2.SignatureDef),
        ("Example", example_pb2.Example),
    ],
)
def test_the_fields_are_those_of_tensorflow(name, theirs):
    assert differences(getattr(messages, name).DESCRIPTOR, theirs.DESCRIPTOR, name, set()) == []


@pytest.mark.parametrize("module", PEERS)
def test_the_fields_are_those_of_tensorflow_serving_api(module):
    try:
        peer = importlib.import_module(f"tensorflow_serving.{module}")
    except (ImportError, AttributeError) as error:
        pytest.skip(f"tensorflow-serving-api is not there, or not one for this TensorFlow ({error})")
    for name in PEERS[module]:
        ours = getattr(messages, name).DESCRIPTOR
        assert differences(ours, getattr(peer, name).DESCRIPTOR, name, set()) == []


def test_a_signature_of_tensorflow_is_read_and_written():
    theirs = meta_graph_pb2.SignatureDef(method_name=tf.saved_model.PREDICT_METHOD_NAME)
    for name in ("a", "b"):
        theirs.inputs[name].name, theirs.inputs[name].dtype = f"{name}:0", tf.float32.as_datatype_enum
        theirs.inputs[name].tensor_shape.CopyFrom(tf.TensorShape([None, 3]).as_proto())
    ours = messages.SignatureDef.FromString(theirs.SerializeToString())
    assert ours.inputs["a"].name == "a:0" and ours.inputs["b"].dtype == messages.DataType.Value("DT_FLOAT")
    assert [dim.size for dim in ours.inputs["a"].tensor_shape.dim] == [-1, 3]
    assert meta_graph_pb2.SignatureDef.FromString(ours.SerializeToString()) == theirs


def test_a_metadata_answer_packs_its_signatures():
    answer = messages.GetModelMetadataResponse()
    signatures = messages.SignatureDefMap()
    signatures.signature_def["serving_default"].method_name = "m"
    answer.metadata["signature_def"].Pack(signatures)
    read = messages.GetModelMetadataResponse.FromString(answer.SerializeToString())
    assert read.metadata["signature_def"].type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    unpacked = messages.SignatureDefMap()
    assert read.metadata["signature_def"].Unpack(unpacked) and unpacked == signatures


def test_configuration_files_are_read():
    text = """model_config_list { config {
        name: "people" base_path: "/models/people" model_platform: "tensorflow"
        model_version_policy { specific { versions: 3 versions: 4 } } version_labels { key: "stable" value: 3 } } }"""
    (config,) = text_format.Parse(text, messages.ModelServerConfig()).model_config_list.config
    assert list(config.model_version_policy.specific.versions) == [3, 4] and config.version_labels["stable"] == 3
    batching = text_format.Parse(
        "max_batch_size { value: 8 } allowed_batch_sizes: [1, 8]", messages.BatchingParameters()
    )
    assert batching.max_batch_size.value == 8 and not batching.HasField("num_batch_threads")
    monitoring = text_format.Parse('prometheus_config { enable: true path: "/m" }', messages.MonitoringConfig())
    assert monitoring.prometheus_config.path == "/m"
    assert text_format.Parse('server_key: "k" client_verify: true', messages.SSLConfig()).client_verify


def test_the_messages_need_no_tensorflow_and_do_not_collide_with_it():
    code = (
        "import sys; from tfwarpgan.serving.wire import messages, tensors; assert 'tensorflow' not in sys.modules; "
        "from tensorflow.core.framework import tensor_pb2; from tensorflow.core.protobuf import meta_graph_pb2; "
        "import grpc; assert tensor_pb2.TensorProto is not messages.TensorProto"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
