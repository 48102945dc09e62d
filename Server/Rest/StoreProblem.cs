using Sketch.Engine.Checkpoints;

namespace Sketch.Server.Rest;

/// <summary>What a client is told when an answer needs ClickHouse and it can't be reached.</summary>
internal static class StoreProblem
{
    /// <summary>Awaits an answer.</summary>
    /// <param name="call">Asks.</param>
    /// <param name="field">What can't be answered.</param>
    /// <exception cref="ProblemException">ClickHouse can't be reached: 503.</exception>
    public static async ValueTask<T> GuardAsync<T>(Func<ValueTask<T>> call, string field)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (CheckpointStoreException failure)
        {
            throw new ProblemException(
                Problem.Of(503, "store-unavailable", "ClickHouse can't be reached", field, failure.Message, "a retry in a few seconds")
                with
                { RetryAfterSeconds = 2 });
        }
    }
}
