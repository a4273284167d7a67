"""The messages of TensorFlow Serving's public interface, with their public names and field numbers.

They need protobuf alone: importing this module imports neither TensorFlow nor the package tensorflow-serving-api, and
bytes go back and forth between these messages and theirs. Each message is an attribute of this module, such as
`messages.PredictRequest`, and so is each enumeration, such as `messages.DataType` with `Name` and `Value`.

Left out, and kept as unknown fields where a message holds them: resources and variants in a tensor, composite tensors
in a signature, and the options of streamed requests.
"""

from tfwarpgan.serving.wire.descriptors import build

# What TensorFlow's own messages say of tensors, signatures and examples.
TENSORFLOW = """
enum DataType: DT_INVALID=0 DT_FLOAT=1 DT_DOUBLE=2 DT_INT32=3 DT_UINT8=4 DT_INT16=5 DT_INT8=6 DT_STRING=7
  DT_COMPLEX64=8 DT_INT64=9 DT_BOOL=10 DT_QINT8=11 DT_QUINT8=12 DT_QINT32=13 DT_BFLOAT16=14 DT_QINT16=15 DT_QUINT16=16
  DT_UINT16=17 DT_COMPLEX128=18 DT_HALF=19 DT_RESOURCE=20 DT_VARIANT=21 DT_UINT32=22 DT_UINT64=23 DT_FLOAT8_E5M2=24
  DT_FLOAT8_E4M3FN=25 DT_INT4=29 DT_UINT4=30
TensorShapeProto: 2 repeated TensorShapeProto.Dim dim; 3 bool unknown_rank
TensorShapeProto.Dim: 1 int64 size; 2 string name
TensorProto: 1 DataType dtype; 2 TensorShapeProto tensor_shape; 3 int32 version_number; 4 bytes tensor_content;
  13 repeated int32 half_val; 5 repeated float float_val; 6 repeated double double_val; 7 repeated int32 int_val;
  8 repeated bytes string_val; 9 repeated float scomplex_val; 10 repeated int64 int64_val; 11 repeated bool bool_val;
  12 repeated double dcomplex_val; 16 repeated uint32 uint32_val; 17 repeated uint64 uint64_val; 18 bytes float8_val
NamedTensorProto: 1 string name; 2 TensorProto tensor
TensorInfo: 1 string name @encoding; 4 TensorInfo.CooSparse coo_sparse @encoding; 2 DataType dtype;
  3 TensorShapeProto tensor_shape
TensorInfo.CooSparse: 1 string values_tensor_name; 2 string indices_tensor_name; 3 string dense_shape_tensor_name
SignatureDef: 1 map string TensorInfo inputs; 2 map string TensorInfo outputs; 3 string method_name;
  4 map string TensorProto defaults
BytesList: 1 repeated bytes value
FloatList: 1 repeated float value
Int64List: 1 repeated int64 value
Feature: 1 BytesList bytes_list @kind; 2 FloatList float_list @kind; 3 Int64List int64_list @kind
Features: 1 map string Feature feature
Example: 1 Features features
"""
ERROR = """
enum Code: OK=0 CANCELLED=1 UNKNOWN=2 INVALID_ARGUMENT=3 DEADLINE_EXCEEDED=4 NOT_FOUND=5 ALREADY_EXISTS=6
  PERMISSION_DENIED=7 RESOURCE_EXHAUSTED=8 FAILED_PRECONDITION=9 ABORTED=10 OUT_OF_RANGE=11 UNIMPLEMENTED=12
  INTERNAL=13 UNAVAILABLE=14 DATA_LOSS=15 UNAUTHENTICATED=16
"""
# The last messages are those of the configuration files; no package carries them but the server itself.
SERVING = """
ModelSpec: 1 string name; 2 Int64Value version @version_choice; 4 string version_label @version_choice;
  3 string signature_name
StatusProto: 1 Code error_code; 2 string error_message
PredictRequest: 1 ModelSpec model_spec; 2 map string TensorProto inputs; 3 repeated string output_filter
PredictResponse: 2 ModelSpec model_spec; 1 map string TensorProto outputs
ExampleList: 1 repeated Example examples
ExampleListWithContext: 1 repeated Example examples; 2 Example context
Input: 1 ExampleList example_list @kind; 2 ExampleListWithContext example_list_with_context @kind
Class: 1 string label; 2 float score
Classifications: 1 repeated Class classes
ClassificationResult: 1 repeated Classifications classifications
ClassificationRequest: 1 ModelSpec model_spec; 2 Input input
ClassificationResponse: 2 ModelSpec model_spec; 1 ClassificationResult result
Regression: 1 float value
RegressionResult: 1 repeated Regression regressions
RegressionRequest: 1 ModelSpec model_spec; 2 Input input
RegressionResponse: 2 ModelSpec model_spec; 1 RegressionResult result
InferenceTask: 1 ModelSpec model_spec; 2 string method_name
InferenceResult: 1 ModelSpec model_spec; 2 ClassificationResult classification_result @result;
  3 RegressionResult regression_result @result
MultiInferenceRequest: 1 repeated InferenceTask tasks; 2 Input input
MultiInferenceResponse: 1 repeated InferenceResult results
SignatureDefMap: 1 map string SignatureDef signature_def
GetModelMetadataRequest: 1 ModelSpec model_spec; 2 repeated string metadata_field
GetModelMetadataResponse: 1 ModelSpec model_spec; 2 map string Any metadata
GetModelStatusRequest: 1 ModelSpec model_spec
ModelVersionStatus: 1 int64 version; 2 ModelVersionStatus.State state; 3 StatusProto status
enum ModelVersionStatus.State: UNKNOWN=0 START=10 LOADING=20 AVAILABLE=30 UNLOADING=40 END=50
GetModelStatusResponse: 1 repeated ModelVersionStatus model_version_status
LogCollectorConfig: 1 string type; 2 string filename_prefix
SamplingConfig: 1 double sampling_rate; 2 int32 attributes
LoggingConfig: 1 LogCollectorConfig log_collector_config; 2 SamplingConfig sampling_config
LogMetadata: 1 ModelSpec model_spec; 2 SamplingConfig sampling_config; 3 repeated string saved_model_tags;
  4 int64 timestamp_secs
ClassifyLog: 1 ClassificationRequest request; 2 ClassificationResponse response
RegressLog: 1 RegressionRequest request; 2 RegressionResponse response
PredictLog: 1 PredictRequest request; 2 PredictResponse response
MultiInferenceLog: 1 MultiInferenceRequest request; 2 MultiInferenceResponse response
SessionRunLog:
PredictionLog: 1 LogMetadata log_metadata; 2 ClassifyLog classify_log @log_type; 3 RegressLog regress_log @log_type;
  6 PredictLog predict_log @log_type; 4 MultiInferenceLog multi_inference_log @log_type;
  5 SessionRunLog session_run_log @log_type
FileSystemStoragePathSourceConfig:
FileSystemStoragePathSourceConfig.ServableVersionPolicy:
  100 FileSystemStoragePathSourceConfig.ServableVersionPolicy.Latest latest @policy_choice;
  101 FileSystemStoragePathSourceConfig.ServableVersionPolicy.All all @policy_choice;
  102 FileSystemStoragePathSourceConfig.ServableVersionPolicy.Specific specific @policy_choice
FileSystemStoragePathSourceConfig.ServableVersionPolicy.Latest: 1 uint32 num_versions
FileSystemStoragePathSourceConfig.ServableVersionPolicy.All:
FileSystemStoragePathSourceConfig.ServableVersionPolicy.Specific: 1 repeated int64 versions
enum ModelType: MODEL_TYPE_UNSPECIFIED=0 TENSORFLOW=1 OTHER=2
ModelConfig: 1 string name; 2 string base_path; 3 ModelType model_type; 4 string model_platform;
  7 FileSystemStoragePathSourceConfig.ServableVersionPolicy model_version_policy; 8 map string int64 version_labels;
  6 LoggingConfig logging_config
ModelConfigList: 1 repeated ModelConfig config
ModelServerConfig: 1 ModelConfigList model_config_list @config; 2 Any custom_model_config @config
ReloadConfigRequest: 1 ModelServerConfig config; 2 repeated string metric_names
Metric: 1 string name; 2 int64 int64_value_increase @value_increase
ReloadConfigResponse: 1 StatusProto status; 2 repeated Metric metric
BatchingParameters: 1 Int64Value max_batch_size; 2 Int64Value batch_timeout_micros; 3 Int64Value max_enqueued_batches;
  4 Int64Value num_batch_threads; 5 StringValue thread_pool_name; 6 repeated int64 allowed_batch_sizes;
  7 bool pad_variable_length_inputs; 8 BoolValue enable_large_batch_splitting; 9 Int64Value max_execution_batch_size
PrometheusConfig: 1 bool enable; 2 string path
MonitoringConfig: 1 PrometheusConfig prometheus_config
SSLConfig: 1 string server_key; 2 string server_cert; 3 string custom_ca; 4 bool client_verify
"""

MESSAGES = build({"tensorflow": TENSORFLOW, "tensorflow.error": ERROR, "tensorflow.serving": SERVING})
globals().update(MESSAGES)
