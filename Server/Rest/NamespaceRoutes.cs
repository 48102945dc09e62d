using Sketch.Engine.Catalogue;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>Namespaces: made, changed, listed.</summary>
internal static class NamespaceRoutes
{
    /// <summary>PUT /v1/namespaces/{namespace}.</summary>
    public static async Task PutAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        NamespaceDefinition definition = await ReadAsync(context, @namespace).ConfigureAwait(false);
        bool existed = gate.HasNamespace(@namespace);
        if (await gate.Engine.DefineNamespaceAsync(definition, context.RequestAborted).ConfigureAwait(false) is { } refused)
            throw new ProblemException(Problem.From(refused));

        await context.WriteAsync(
            Find(gate, @namespace), AnswersJson.Readable.NamespaceAnswer, existed ? StatusCodes.Status200OK : StatusCodes.Status201Created)
            .ConfigureAwait(false);
    }

    /// <summary>GET /v1/namespaces/{namespace}.</summary>
    public static Task GetAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        return context.WriteAsync(Find(gate, @namespace), AnswersJson.Readable.NamespaceAnswer);
    }

    /// <summary>GET /v1/namespaces.</summary>
    public static Task ListAsync(HttpContext context, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        NamespacesAnswer answer = new([.. gate.Engine.Namespaces.Select(Answer)]);
        return context.WriteAsync(answer, AnswersJson.Readable.NamespacesAnswer);
    }

    /// <summary>Ends the request when there is no such namespace.</summary>
    public static void RequireNamespace(this EngineGate gate, string @namespace)
    {
        if (!gate.HasNamespace(@namespace))
            throw new ProblemException(Problem.UnknownNamespace(@namespace));
    }

    private static async Task<NamespaceDefinition> ReadAsync(HttpContext context, string name)
    {
        using RequestBody body = await ReadJsonAsync(context).ConfigureAwait(false);
        JsonMembers members = JsonMembers.Parse(body.Memory, "tier", "durable", "retentionDays", "maxCounters", "lifetimeDays");
        NamespaceDefinition standard = new(name);
        return standard with
        {
            Tier = members.Text("tier", Names.Tiers) is { } tier ? Names.Tier(tier) : standard.Tier,
            Durable = members.Flag("durable") ?? standard.Durable,
            RetentionDays = members.Whole("retentionDays", 1, 365) ?? standard.RetentionDays,
            MaxCounters = members.Whole("maxCounters", 1, 100_000_000) ?? standard.MaxCounters,
            LifetimeDays = members.Whole("lifetimeDays", 1, 365) ?? standard.LifetimeDays,
        };
    }

    /// <summary>A JSON body; none at all is as good as {}.</summary>
    internal static ValueTask<RequestBody> ReadJsonAsync(HttpContext context)
    {
        if (context.Request.ContentLength != 0 && (context.Request.ContentLength is not null || context.Request.ContentType is not null))
            ContentTypes.Require(context.Request, ContentTypes.Json);
        return RequestBody.ReadAsync(context);
    }

    private static NamespaceAnswer Find(EngineGate gate, string name) =>
        gate.Engine.Namespaces.FirstOrDefault(n => n.Definition.Name == name) is { } found
            ? Answer(found)
            : throw new ProblemException(Problem.UnknownNamespace(name));

    private static NamespaceAnswer Answer(NamespaceStatus status) => new(
        status.Definition.Name,
        Names.Of(status.Definition.Tier),
        status.Definition.Durable,
        status.Definition.RetentionDays,
        status.Definition.MaxCounters,
        status.Definition.LifetimeDays,
        status.Counters);
}
