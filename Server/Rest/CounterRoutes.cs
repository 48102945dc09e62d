using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Reads;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>Counters: made, changed, read.</summary>
internal static class CounterRoutes
{
    private const string LabelsForm = "at most 16 labels, each name and value 1 to 64 bytes";
    private static readonly string NamesForm = $"a list of 1 to {QueryParameters.MaxValues} names";

    /// <summary>PUT /v1/namespaces/{namespace}/counters/{name}.</summary>
    public static async Task PutAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        string name = Names.Counter(context);
        CounterDefinition definition = await ReadAsync(context, name).ConfigureAwait(false);
        gate.RequireNamespace(@namespace);
        bool existed = gate.Engine.Has(@namespace, name);
        if (await gate.Engine.DefineCounterAsync(@namespace, definition, context.RequestAborted).ConfigureAwait(false) is { } refused)
            throw new ProblemException(Problem.From(refused));

        CounterValue value = await ReadAsync(context, gate, @namespace, name, ICounterReader.DefaultConfidence).ConfigureAwait(false);
        int status = existed ? StatusCodes.Status200OK : StatusCodes.Status201Created;
        await context.WriteAsync(value, AnswersJson.Readable.CounterValue, status).ConfigureAwait(false);
    }

    /// <summary>PUT /v1/namespaces/{namespace}/counters/, which names no counter.</summary>
    public static Task PutUnnamedAsync(HttpContext context, string @namespace) =>
        throw new ProblemException(Problem.Invalid("name", "", $"1 to {EngineLimits.MaxNameBytes} bytes of UTF-8 without control characters"));

    /// <summary>GET /v1/namespaces/{namespace}/counters/{name}.</summary>
    public static Task GetAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request, "confidence");
        double confidence = QueryParameters.Confidence(context.Request);
        gate.RequireNamespace(@namespace);
        string name = Names.Counter(context);
        ValueTask<CounterValue> value = ReadAsync(context, gate, @namespace, name, confidence);
        return value.IsCompletedSuccessfully
            ? context.WriteAsync(value.Result, AnswersJson.Readable.CounterValue)
            : WriteAsync(context, value);
    }

    /// <summary>GET /v1/namespaces/{namespace}/counters.</summary>
    public static async Task ListAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        HttpRequest request = context.Request;
        QueryParameters.Require(request, "prefix", "limit", "cursor", "confidence");
        double confidence = QueryParameters.Confidence(request);
        int limit = QueryParameters.Limit(request);
        string prefix = QueryParameters.Prefix(request);
        string? after = QueryParameters.After(request);
        gate.RequireNamespace(@namespace);

        IReadOnlyList<string> names = await gate.FindAsync(@namespace, prefix, after, limit, context.RequestAborted).ConfigureAwait(false);
        string? cursor = names.Count == limit ? QueryParameters.Cursor(names[^1]) : null;
        await WriteValuesAsync(context, names.Count == 0 ? [] : await ReadAllAsync(context, gate, @namespace, names, confidence).ConfigureAwait(false), cursor).ConfigureAwait(false);
    }

    /// <summary>POST /v1/namespaces/{namespace}/values.</summary>
    public static async Task ValuesAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request, "confidence");
        double confidence = QueryParameters.Confidence(context.Request);
        ContentTypes.Require(context.Request, ContentTypes.Json);
        List<string>? names;
        using (RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false))
        {
            names = JsonMembers.Parse(body.Memory, "names").Texts("names", QueryParameters.MaxValues, NamesForm)
                ?? throw new ProblemException(Problem.Invalid("names", "missing", NamesForm));
        }

        gate.RequireNamespace(@namespace);
        await WriteValuesAsync(context, await ReadAllAsync(context, gate, @namespace, names, confidence).ConfigureAwait(false), cursor: null).ConfigureAwait(false);
    }

    /// <summary>GET /v1/namespaces/{namespace}/top.</summary>
    public static async Task TopAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request, "k", "confidence");
        double confidence = QueryParameters.Confidence(context.Request);
        int k = QueryParameters.K(context.Request);
        gate.RequireNamespace(@namespace);
        IReadOnlyList<CounterValue> values = await StoreProblem
            .GuardAsync(() => gate.Engine.TopAsync(@namespace, k, confidence, context.RequestAborted), "top").ConfigureAwait(false);
        await WriteValuesAsync(context, values, cursor: null).ConfigureAwait(false);
    }

    /// <summary>GET /v1/namespaces/{namespace}/counters/{name}/history.</summary>
    public static async Task HistoryAsync(HttpContext context, string @namespace, EngineGate gate, TimeProvider time)
    {
        QueryParameters.Require(context.Request, "from", "to", "step", "confidence");
        double confidence = QueryParameters.Confidence(context.Request);
        (DateTimeOffset from, DateTimeOffset to, int stepHours) = QueryParameters.Period(context.Request, time.GetUtcNow());
        gate.RequireNamespace(@namespace);
        string name = Names.Counter(context);
        if (!gate.Engine.Has(@namespace, name))
            throw new ProblemException(Problem.UnknownCounter(name));

        IReadOnlyList<DistinctPoint>? distincts = await StoreProblem.GuardAsync(
            () => gate.Engine.DistinctHistoryAsync(@namespace, name, from, to, stepHours, confidence, context.RequestAborted), "history").ConfigureAwait(false);
        HistoryPointAnswer[] points = distincts is not null
            ? [.. distincts.Select(p => new HistoryPointAnswer(p.Start, p.Count.Value, p.Count.Lower, p.Count.Upper))]
            :
            [
                .. (await StoreProblem.GuardAsync(
                    () => gate.Engine.HistoryAsync(@namespace, name, from, to, stepHours, context.RequestAborted), "history").ConfigureAwait(false))
                .Select(p => new HistoryPointAnswer(p.Start, p.Value, null, null)),
            ];
        HistoryAnswer answer = new(@namespace, name, from, to, stepHours * 3_600, distincts is null ? null : confidence, points);
        await context.WriteAsync(answer, AnswersJson.Readable.HistoryAnswer).ConfigureAwait(false);
    }

    /// <summary>DELETE /v1/namespaces/{namespace}/counters/{name}.</summary>
    public static async Task DeleteAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        gate.RequireNamespace(@namespace);
        if (await gate.Engine.DeleteCounterAsync(@namespace, Names.Counter(context), context.RequestAborted).ConfigureAwait(false) is { } refused)
            throw new ProblemException(Problem.From(refused));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>POST /v1/namespaces/{namespace}/counters/{name}/reset.</summary>
    public static async Task ResetAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        gate.RequireNamespace(@namespace);
        string name = Names.Counter(context);
        if (await gate.Engine.ResetCounterAsync(@namespace, name, context.RequestAborted).ConfigureAwait(false) is { } refused)
            throw new ProblemException(Problem.From(refused));
        CounterValue value = await ReadAsync(context, gate, @namespace, name, ICounterReader.DefaultConfidence).ConfigureAwait(false);
        await context.WriteAsync(value, AnswersJson.Readable.CounterValue).ConfigureAwait(false);
    }

    /// <summary>GET /v1/namespaces/{namespace}/counters/{name}/top.</summary>
    public static async Task ItemsAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request, "k");
        int? k = context.Request.Query.ContainsKey("k") ? QueryParameters.K(context.Request) : null;
        gate.RequireNamespace(@namespace);
        string name = Names.Counter(context);
        if (gate.Engine.Items(@namespace, name, k) is not { } items)
        {
            CounterValue other = await ReadAsync(context, gate, @namespace, name, ICounterReader.DefaultConfidence).ConfigureAwait(false);
            throw new ProblemException(Problem.Of(409, "conflict", "Contradicts what exists", "kind", other.Kind, "top: only such counters have items"));
        }

        await context.WriteAsync(items, AnswersJson.Readable.TopItems).ConfigureAwait(false);
    }

    private static async Task<CounterDefinition> ReadAsync(HttpContext context, string name)
    {
        using RequestBody body = await NamespaceRoutes.ReadJsonAsync(context).ConfigureAwait(false);
        JsonMembers members = JsonMembers.Parse(body.Memory, "kind", "tier", "k", "labels");
        return new CounterDefinition(
            name,
            members.Text("kind", Names.Kinds) is { } kind ? Names.Kind(kind) : CounterKind.Sum,
            members.Text("tier", Names.Tiers) is { } tier ? Names.Tier(tier) : null,
            members.TextByName("labels", LabelsForm),
            members.Whole("k", 1, CounterDefinition.MaxK));
    }

    // At once when the total is in memory, which it is for all but cold counters.
    private static ValueTask<CounterValue> ReadAsync(HttpContext context, EngineGate gate, string @namespace, string name, double confidence)
    {
        ValueTask<IReadOnlyList<CounterValue?>> values = gate.Engine.ReadAsync(@namespace, [name], confidence, context.RequestAborted);
        return values.IsCompletedSuccessfully
            ? new(values.Result[0] ?? throw new ProblemException(Problem.UnknownCounter(name)))
            : ThroughAsync();

        async ValueTask<CounterValue> ThroughAsync() =>
            (await StoreProblem.GuardAsync(() => values, "name").ConfigureAwait(false))[0] ?? throw new ProblemException(Problem.UnknownCounter(name));
    }

    private static ValueTask<IReadOnlyList<CounterValue?>> ReadAllAsync(
        HttpContext context, EngineGate gate, string @namespace, IReadOnlyList<string> names, double confidence) =>
        StoreProblem.GuardAsync(() => gate.Engine.ReadAsync(@namespace, names, confidence, context.RequestAborted), "names");

    private static async Task WriteAsync(HttpContext context, ValueTask<CounterValue> value) =>
        await context.WriteAsync(await value.ConfigureAwait(false), AnswersJson.Readable.CounterValue).ConfigureAwait(false);

    private static Task WriteValuesAsync(HttpContext context, IReadOnlyList<CounterValue?> values, string? cursor) =>
        context.WriteAsync(new ValuesAnswer([.. values.OfType<CounterValue>()], cursor), AnswersJson.Readable.ValuesAnswer);
}
