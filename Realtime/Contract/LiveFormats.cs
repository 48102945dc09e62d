using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MessagePack;
using MessagePack.Resolvers;
using Sketch.Realtime.Alerts;

namespace Sketch.Realtime;

/// <summary>How frames are written: a value that many watch is serialized once a protocol, and its bytes are copied into each frame.</summary>
internal static class LiveFormats
{
    /// <summary>For the hub's MessagePack.</summary>
    public static MessagePackSerializerOptions Shared { get; } = MessagePackSerializerOptions.Standard
        .WithResolver(CompositeResolver.Create([new LivePack.FrameFormatter()], [DynamicEnumAsStringResolver.Instance, ContractlessStandardResolver.Instance]))
        .WithSecurity(MessagePackSecurity.UntrustedData);

    /// <summary>For JSON: names as people typed them, which is safe where nothing is read as HTML.</summary>
    public static JsonSerializerOptions Json { get; } = Configure(new JsonSerializerOptions());

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = true;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new ValueConverter());
        options.TypeInfoResolverChain.Insert(0, LiveJson.Default);
        return options;
    }

    public static byte[] ToJson(LiveValue value) => JsonSerializer.SerializeToUtf8Bytes(value, LiveJson.Readable.LiveValue);

    private sealed class ValueConverter : JsonConverter<LiveValue>
    {
        public override LiveValue? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize(ref reader, LiveJson.Readable.LiveValue);

        public override void Write(Utf8JsonWriter writer, LiveValue value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Json, skipInputValidation: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LiveValue))]
[JsonSerializable(typeof(CounterFrame))]
[JsonSerializable(typeof(SubscriptionReply))]
[JsonSerializable(typeof(SubscriptionRequest))]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(AlertsReply))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(AlertsRequest))]
internal sealed partial class LiveJson : JsonSerializerContext
{
    /// <summary>Writes é as é.</summary>
    public static LiveJson Readable { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
