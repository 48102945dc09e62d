using Sketch.Server.Rest;

namespace Sketch.Server.Sql;

/// <summary>The SQL port: passes requests on to the ClickHouse in use once that is open.</summary>
internal sealed class SqlEndpoint
{
    private volatile RequestDelegate? _inner;

    /// <summary>Lets requests through.</summary>
    public void Open(RequestDelegate inner) => _inner = inner;

    /// <summary>Answers one request.</summary>
    public Task InvokeAsync(HttpContext context) => _inner is { } inner
        ? inner(context)
        : throw new ProblemException(
            Problem.Of(503, "opening", "ClickHouse is not open yet", "node", "opening", "a retry in a second") with { RetryAfterSeconds = 1 });
}
