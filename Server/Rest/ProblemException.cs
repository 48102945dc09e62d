namespace Sketch.Server.Rest;

/// <summary>Ends a request with a problem, from wherever it was found.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    /// <summary>The answer.</summary>
    public Problem Problem { get; } = problem;
}
