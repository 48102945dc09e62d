using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>POST /v1/namespaces/{namespace}/increments: the door that most increments come through.</summary>
internal static class IncrementRoutes
{
    /// <summary>Reads, counts, answers. A batch with anything wrong in it is refused whole.</summary>
    public static async Task PostAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        HttpRequest request = context.Request;
        string type = ContentTypes.Require(request, ContentTypes.Json, ContentTypes.NdJson, BinaryBatch.MediaType);
        if (type == ContentTypes.NdJson)
            QueryParameters.Require(request, "producer", "sequence");
        else
            QueryParameters.Require(request);

        using IncrementBatch batch = gate.Engine.RentBatch(@namespace) ?? throw new ProblemException(Problem.UnknownNamespace(@namespace));
        using RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        Sender sender = type switch
        {
            ContentTypes.NdJson => ReadLines(request, body, batch),
            BinaryBatch.MediaType => BinaryBatch.Read(body.Bytes, batch),
            _ => IncrementReader.ReadObject(body.Bytes, batch),
        };
        IncrementResult result = await gate.Engine
            .CommitAsync(batch, sender.Producer, sender.Sequence, context.RequestAborted).ConfigureAwait(false);
        if (result.Status != IncrementStatus.Accepted)
            throw new ProblemException(Refusal(result, sender));

        IReadOnlyList<CounterValue>? values = batch.IsStrong && type != BinaryBatch.MediaType && batch.Count <= QueryParameters.MaxValues ? await StrongValuesAsync(gate, @namespace, body, context.RequestAborted).ConfigureAwait(false) : null;
        IncrementsAnswer answer = new(result.Accepted, result.Duplicate, result.Position, values);
        await context.WriteAsync(answer, AnswersJson.Readable.IncrementsAnswer).ConfigureAwait(false);
    }

    // Null when a total is not in memory and ClickHouse is away: the batch is counted, and the answer must not say otherwise.
    private static async ValueTask<IReadOnlyList<CounterValue>?> StrongValuesAsync(
        EngineGate gate, string @namespace, RequestBody body, CancellationToken cancellationToken)
    {
        List<string> names = IncrementReader.Names(body.Bytes);
        IReadOnlyList<CounterValue?> values;
        try
        {
            values = await gate.Engine.ReadAsync(@namespace, names, ICounterReader.DefaultConfidence, cancellationToken).ConfigureAwait(false);
        }
        catch (CheckpointStoreException)
        {
            return null;
        }

        return [.. values.OfType<CounterValue>().Where(value => value.Tier == Names.Of(Tier.Strong))];
    }

    private static Sender ReadLines(HttpRequest request, RequestBody body, IncrementBatch batch)
    {
        Sender sender = Sender.Of((string?)request.Query["producer"], (string?)request.Query["sequence"]);
        IncrementReader.ReadLines(body.Bytes, batch);
        return sender;
    }

    /// <summary>Why a batch was not counted.</summary>
    public static Problem Refusal(IncrementResult result, Sender sender) => result.Status switch
    {
        IncrementStatus.Rejected when result.Rejection is { } rejection => Problem.From(rejection, "increments." + rejection.Field),
        IncrementStatus.Busy => Problem.Of(
            429, "busy", "Too many batches wait", "increments", "not counted", "the same batch again in a second") with
        { RetryAfterSeconds = 1 },
        IncrementStatus.NoSpace => Problem.Of(
            507, "no-space", "The disk is full", "increments", "not counted", "the same batch again once the node has space") with
        { RetryAfterSeconds = 5 },
        IncrementStatus.LogFull => Problem.Of(
            429, "log-full", "The log is full", "increments", "not counted", "the same batch again once checkpoints have moved on; ClickHouse may be away") with
        { RetryAfterSeconds = 5 },
        IncrementStatus.SequenceTooOld => Problem.Of(
            409,
            "sequence-too-old",
            "Sequence too old",
            "sequence",
            $"{sender.Sequence}, too far behind the newest of producer {sender.Producer} to tell whether it was counted",
            $"at most {Engine.EngineLimits.ProducerWindow - 1} behind the newest"),
        IncrementStatus.SequenceGap => Problem.Of(
            409,
            "sequence-gap",
            "Sequence too far ahead",
            "sequence",
            result.Position == 0
                ? $"{sender.Sequence}, of producer {sender.Producer}, of which the node knows no batch (any more)"
                : $"{sender.Sequence}, after {result.Position} of producer {sender.Producer}",
            result.Position == 0
                ? $"1 to {Engine.EngineLimits.ProducerWindow} for the first batches of a producer; one that was quiet for {Engine.EngineLimits.ProducerMemory.TotalDays:0} days begins again under another name"
                : $"at most {result.Position + Engine.EngineLimits.ProducerWindow}; send the batches that are missing first"),
        IncrementStatus.ProducerShared => Problem.Of(
            409,
            "producer-shared",
            "Another batch has this sequence",
            "producer",
            $"{sender.Producer}, whose sequence {sender.Sequence} was another batch",
            "a producer's name of one sender only, and the same batch whenever a sequence is sent again"),
        _ => Problem.Of(
            503, "outcome-unknown", "The node is stopping", "increments", "perhaps counted", "the same batch with the same producer and sequence again: it counts once")
            with
        { RetryAfterSeconds = 1 },
    };
}
