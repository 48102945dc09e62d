using Sketch.Engine.Reads;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>How right the values are, and why.</summary>
internal static class AccuracyRoutes
{
    /// <summary>GET /v1/namespaces/{namespace}/accuracy.</summary>
    public static Task NamespaceAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request);
        gate.RequireNamespace(@namespace);
        return context.WriteAsync(gate.Engine.AccuracyOf(@namespace), AnswersJson.Readable.NamespaceAccuracy);
    }

    /// <summary>GET /v1/namespaces/{namespace}/counters/{name}/accuracy.</summary>
    public static async Task CounterAsync(HttpContext context, string @namespace, EngineGate gate)
    {
        QueryParameters.Require(context.Request, "confidence");
        double confidence = QueryParameters.Confidence(context.Request);
        gate.RequireNamespace(@namespace);
        string name = Names.Counter(context);
        CounterAccuracy accuracy = await StoreProblem
            .GuardAsync(() => gate.Engine.AccuracyOfAsync(@namespace, name, confidence, context.RequestAborted), "accuracy").ConfigureAwait(false)
            ?? throw new ProblemException(Problem.UnknownCounter(name));
        await context.WriteAsync(accuracy, AnswersJson.Readable.CounterAccuracy).ConfigureAwait(false);
    }
}
