namespace Sketch.Client;

/// <summary>The node refused increments for good, in its own words: the field, its value, and what is allowed. None of their batch was counted.</summary>
public sealed class IncrementRefusedException : Exception
{
    internal IncrementRefusedException(int status, int increments, string message)
        : base(message)
    {
        Status = status;
        Increments = increments;
    }

    /// <summary>The status, as HTTP has it: 400, 404 or 409.</summary>
    public int Status { get; }

    /// <summary>How many increments were not counted.</summary>
    public int Increments { get; }
}
