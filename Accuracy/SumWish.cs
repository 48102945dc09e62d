namespace Sketch.Accuracy;

/// <summary>What someone wants of approximate sums, and what they expect to count.</summary>
public sealed record SumWish
{
    /// <summary>How far a value may be off, in units of what is counted; null to give <see cref="RelativeError"/> instead.</summary>
    public long? AbsoluteError { get; init; }

    /// <summary>How far a value of <see cref="OfAtLeast"/> or more may be off, as a share of it, in (0, 1).</summary>
    public double? RelativeError { get; init; }

    /// <summary>The smallest value that <see cref="RelativeError"/> is about, 1 or more: the whole value, of which only the live part errs.</summary>
    public long OfAtLeast { get; init; } = 1_000;

    /// <summary>How often the error must stay within, in (0, 1).</summary>
    public double Confidence { get; init; } = 0.99;

    /// <summary>Expected increments a second on a node.</summary>
    public required double IncrementsPerSecond { get; init; }

    /// <summary>Expected size of an increment.</summary>
    public double MeanDelta { get; init; } = 1;

    /// <summary>Expected distinct ids in a window.</summary>
    public required long DistinctIds { get; init; }

    /// <summary>How long a window is open, with the time until its checkpoint, in seconds.</summary>
    public double WindowSeconds { get; init; } = 5;

    /// <summary>The most memory for a window's sketch, in bytes.</summary>
    public long MaxMemoryBytes { get; init; } = 1 << 30;

    /// <summary>The error that is allowed, absolute.</summary>
    internal double Allowed
    {
        get
        {
            if (AbsoluteError is null == RelativeError is null)
                throw new ArgumentException("absoluteError and relativeError are both set or both missing; allowed: one of them");
            return AbsoluteError ?? RelativeError!.Value * OfAtLeast;
        }
    }

    internal void Check()
    {
        Require(Allowed >= 0, nameof(AbsoluteError), AbsoluteError, "0 or more");
        Require(RelativeError is null or (> 0 and < 1), nameof(RelativeError), RelativeError, "between 0 and 1");
        Require(OfAtLeast >= 1, nameof(OfAtLeast), OfAtLeast, "1 or more");
        CheckExpectation();
    }

    /// <summary>Checks all but the error that is wished for.</summary>
    internal void CheckExpectation()
    {
        Require(Confidence is > 0 and < 1, nameof(Confidence), Confidence, "between 0 and 1");
        Require(IncrementsPerSecond is > 0 and < 1e12, nameof(IncrementsPerSecond), IncrementsPerSecond, "above 0, below 10^12");
        Require(MeanDelta is > 0 and < 1e12, nameof(MeanDelta), MeanDelta, "above 0, below 10^12");
        Require(DistinctIds >= 1, nameof(DistinctIds), DistinctIds, "1 or more");
        Require(WindowSeconds is > 0 and <= 3_600, nameof(WindowSeconds), WindowSeconds, "above 0, to 3600");
        Require(MaxMemoryBytes is >= 4_096 and <= 1 << 30, nameof(MaxMemoryBytes), MaxMemoryBytes, "4096 to 1073741824");
    }

    private static void Require(bool holds, string field, object? value, string allowed)
    {
        if (!holds)
        {
            string name = char.ToLowerInvariant(field[0]) + field[1..];
            throw new ArgumentOutOfRangeException(field, value, $"{name} is {value}; allowed {allowed}");
        }
    }
}
