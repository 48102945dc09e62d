namespace Sketch.Tests.Simulation.World;

/// <summary>A counter as the ledger names it.</summary>
internal readonly record struct Key(string Namespace, string Name);

/// <summary>A batch as its producer remembers it.</summary>
internal sealed class Sent(string? producer, long sequence, string @namespace, (string Name, long Delta)[] increments, bool survivesPower)
{
    public string? Producer => producer;

    public long Sequence => sequence;

    public string Namespace => @namespace;

    public (string Name, long Delta)[] Increments => increments;

    /// <summary>Its acknowledgement promises that a loss of power takes nothing.</summary>
    public bool SurvivesPower => survivesPower;

    public SentState State { get; set; }

    /// <summary>Sends that have no answer yet.</summary>
    public int Underway { get; set; }

    /// <summary>Some send of it ended without an answer that settles it.</summary>
    public bool IsDoubtful { get; set; }

    /// <summary>Where it was counted, once acknowledged.</summary>
    public long Position { get; set; }
}

/// <summary>What a producer knows of a batch.</summary>
internal enum SentState
{
    /// <summary>Never sent, or every time refused before anything was written.</summary>
    Unsent,

    /// <summary>Perhaps counted.</summary>
    Unknown,

    /// <summary>Counted once.</summary>
    Acknowledged,
}

/// <summary>
/// What clients know, outside of the node: for each counter the sum that was acknowledged, and that which may have been counted besides. The truth lies between.
/// </summary>
internal sealed class Ledger
{
    private readonly Dictionary<Key, (long Acknowledged, long Down, long Up)> _sums = [];

    public List<Sent> Batches { get; } = [];

    public IEnumerable<Key> Keys => _sums.Keys;

    /// <summary>The truth is not below the first and not above the second.</summary>
    public (long Least, long Most) Of(Key key)
    {
        (long acknowledged, long down, long up) = _sums.GetValueOrDefault(key);
        return (acknowledged + down, acknowledged + up);
    }

    public void Move(Sent batch, SentState to)
    {
        if (batch.State != to)
        {
            Count(batch, -1);
            batch.State = to;
            Count(batch, 1);
        }
    }

    private void Count(Sent batch, int sign)
    {
        foreach ((string name, long delta) in batch.Increments)
        {
            Key key = new(batch.Namespace, name);
            (long acknowledged, long down, long up) = _sums.GetValueOrDefault(key);
            _sums[key] = batch.State switch
            {
                SentState.Acknowledged => (acknowledged + (sign * delta), down, up),
                SentState.Unknown when delta < 0 => (acknowledged, down + (sign * delta), up),
                SentState.Unknown => (acknowledged, down, up + (sign * delta)),
                _ => (acknowledged, down, up),
            };
        }
    }
}
