namespace Sketch.Server.Commands.Load;

/// <summary>What a load was asked to do.</summary>
internal sealed record LoadOptions
{
    /// <summary>Files in order; - is the standard input.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Where it counts.</summary>
    public required string Namespace { get; init; }

    /// <summary>What files hold; null lets each one's ending say it.</summary>
    public LoadFormat? Format { get; init; }

    /// <summary>How files of text are cut into names.</summary>
    public required Split Split { get; init; }

    /// <summary>The node.</summary>
    public required Uri Url { get; init; }

    /// <summary>Increments a batch.</summary>
    public required int BatchIncrements { get; init; }

    /// <summary>Batches in flight, one a connection.</summary>
    public required int Connections { get; init; }

    /// <summary>Each connection sends as this and its number.</summary>
    public required string Producer { get; init; }

    /// <summary>For a namespace that has to be made.</summary>
    public string? Tier { get; init; }

    /// <summary>How long a batch is sent again before giving up.</summary>
    public required TimeSpan RetryTime { get; init; }
}
