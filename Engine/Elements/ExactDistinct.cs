using Sketch.Engine.Checkpoints;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>
/// What a strong or eventual counter of the kind distinct has seen, from its creation or last reset on: the elements' hashes themselves, and the HyperLogLog of them, for
/// SQL and for the day on which it becomes approximate. A pure function of the log. The fold writes, readers take a short lock.
/// </summary>
internal sealed class ExactDistinct(HyperLogLog sketch, long generation, long asOf = 0)
{
    private readonly Lock _gate = new();
    private readonly HashSet<UInt128> _members = [];
    private List<UInt128> _newMembers = [];

    /// <summary>The position at which the counter began, or was reset.</summary>
    public long Generation { get; } = generation;

    /// <summary>The last position that a state from the store has taken in: what a replay brings up to here is in it.</summary>
    public long AsOf { get; } = asOf;

    /// <summary>The elements' sketch; for the fold's thread.</summary>
    public HyperLogLog Sketch { get; } = sketch;

    /// <summary>The elements that changed the sketch since the last <see cref="Capture"/>; null when there are none.</summary>
    public HyperLogLog? Raised { get; private set; }

    /// <summary>Whether the fold brought something since the last <see cref="Capture"/>.</summary>
    public bool IsTouched { get; set; }

    /// <summary>How many elements are kept: the count.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _members.Count;
            }
        }
    }

    /// <summary>Adds a member that the store kept; true when it was not there yet.</summary>
    public bool Keep(UInt128 member) => _members.Add(member);

    /// <summary>Whether an element was counted.</summary>
    public bool Contains(UInt128 element)
    {
        lock (_gate)
        {
            return _members.Contains(element);
        }
    }

    /// <summary>The fold adds an element; true when it is new.</summary>
    public bool Add(UInt128 element)
    {
        lock (_gate)
        {
            // A member may be known while its register is not: a process that died while it stored the window had stored members first.
            ulong hash = (ulong)(element >> 64);
            if (Sketch.Add(hash))
            {
                (Raised ??= new HyperLogLog(Sketch.KeyId)).Add(hash);
            }

            if (!_members.Add(element))
            {
                return false;
            }

            _newMembers.Add(element);
            return true;
        }
    }

    /// <summary>What the window that ends here changed, for its checkpoint; for the fold's thread.</summary>
    public DistinctRow Capture(string @namespace, ulong id, long position)
    {
        lock (_gate)
        {
            DistinctRow row = Row(@namespace, id, position);
            Raised = null;
            _newMembers = [];
            IsTouched = false;
            return row;
        }
    }

    /// <summary>A copy of all that is held, and what the open window changed of it so far.</summary>
    public HeldDistinct Hold()
    {
        lock (_gate)
        {
            return new HeldDistinct(
                true, [.. _members], HyperLogLogSql.ToColumn(Sketch), _members.Count, IsTouched, [.. _newMembers],
                Raised is null ? ([], []) : HyperLogLogSql.ToColumn(Raised));
        }
    }

    private DistinctRow Row(string @namespace, ulong id, long position)
    {
        (uint[] indexes, byte[] ranks) = Raised is null ? ([], []) : HyperLogLogSql.ToColumn(Raised);
        return new()
        {
            Namespace = @namespace,
            Id = id,
            Generation = Generation,
            Position = Math.Max(position, AsOf),
            Indexes = indexes,
            Ranks = ranks,
            IsExact = true,
            ExactCount = _members.Count,
            Added = 0,
            Changes = 0,
            NewElements = 0,
            Variance = 0,
            Sketch = Sketch.SavedWhileSparse(),
            NewMembers = _newMembers,
        };
    }
}
