using System.Buffers.Binary;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;

namespace Sketch.Engine.Fold;

/// <summary>How the fold took a record.</summary>
/// <param name="Verdict">For increments: counted, a duplicate, or too old to tell; for those and definitions, out of date.</param>
/// <param name="Position">Where the batch was counted; for a duplicate, where it was first; for a sequence that is not allowed, the producer's newest.</param>
internal readonly record struct FoldOutcome(SequenceVerdict Verdict, long Position);

/// <summary>
/// The log's meaning, as a pure function of its records in order: definitions, what each producer has sent, and where windows end. The live views, the
/// checkpointer and every replay run this same code, so that all cut the same windows and count the same batches.
/// </summary>
internal sealed partial class LogFold
{
    private const long HourMs = 3_600_000;

    private readonly Dictionary<string, NamespaceState> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, CounterState> _counters = [];
    private readonly List<NamespaceState> _namespaces = [];
    private WindowSpan _window = new(1, 0, 0, 0, 0, 0);

    /// <summary>The last position folded.</summary>
    public long Position { get; private set; }

    /// <summary>The last position at which some counter's tier changed.</summary>
    public long LastTierChange { get; private set; }

    public ProducerTable Producers { get; } = new();

    public IReadOnlyList<NamespaceState> Namespaces => _namespaces;

    public IReadOnlyDictionary<ulong, CounterState> Counters => _counters;

    /// <summary>The open window.</summary>
    public WindowSpan Window => _window;

    /// <summary>Takes the next record.</summary>
    /// <exception cref="InvalidDataException">The record is of a kind or version that this release does not know.</exception>
    public FoldOutcome Apply<TSink>(in LoggedRecord record, TSink sink)
        where TSink : IFoldSink
    {
        if (record.Position != Position + 1)
        {
            throw new InvalidDataException($"The log goes from position {Position} to {record.Position}.");
        }

        FoldOutcome outcome = new(SequenceVerdict.Fresh, record.Position);
        switch (record.Kind)
        {
            case RecordKind.Genesis:
                break;
            case RecordKind.Marker:
                if (!_window.IsEmpty && BinaryPrimitives.ReadInt64LittleEndian(record.Payload) == _window.From)
                {
                    Close(record.Position, sink);
                }

                break;
            case RecordKind.Definition:
                CutAtHour(record, sink);
                Extend(record);
                _window = _window with { Definitions = _window.Definitions + 1 };
                if (!Define(DefinitionRecord.From(record.Payload), record.Position, sink))
                {
                    outcome = outcome with { Verdict = SequenceVerdict.OutOfDate };
                }

                break;
            case RecordKind.Removal:
                Remove(record, sink);
                break;
            case RecordKind.Expiring:
                BeginExpiring(record, sink);
                break;
            case RecordKind.Increments or RecordKind.Elements:
                outcome = Count(record, sink);
                break;
            default:
                throw new InvalidDataException($"The log holds a record of kind {(int)record.Kind} at {record.Position}, which this release does not know.");
        }

        Position = record.Position;
        return outcome;
    }

    /// <summary>Puts the fold where a snapshot was taken: right after a window.</summary>
    public void Restore(long position, long lastTierChange, IEnumerable<DefinitionRecord> definitions, IEnumerable<long> weights)
    {
        foreach (DefinitionRecord definition in definitions)
        {
            Define(definition, position, NoSink.Instance);
        }

        foreach ((NamespaceState state, long weight) in _namespaces.Zip(weights))
        {
            state.Weight = weight;
        }

        Position = position;
        LastTierChange = lastTierChange;
        _window = new WindowSpan(position + 1, position, 0, 0, 0, 0);
    }

    private FoldOutcome Count<TSink>(in LoggedRecord record, TSink sink)
        where TSink : IFoldSink
    {
        long position = record.Position;
        CutAtHour(record, sink);
        ElementPayload elements = record.Kind == RecordKind.Elements ? new(record.Payload) : default;
        IncrementPayload payload = record.Kind == RecordKind.Elements ? elements.Sums : new(record.Payload);
        int distinct = record.Kind == RecordKind.Elements ? elements.DistinctCount : 0;
        if (IsOutOfDate(record, payload, elements))
        {
            return new FoldOutcome(SequenceVerdict.OutOfDate, position);
        }

        if (record.Producer != UInt128.Zero)
        {
            uint contents = record.Kind == RecordKind.Elements ? BatchContents.Of(elements) : BatchContents.Of(payload);
            SequenceVerdict verdict = Producers.Judge(record.Producer, record.Sequence, new BatchMark(position, record.TimeMs, contents), out long first);
            if (verdict != SequenceVerdict.Fresh)
            {
                return new FoldOutcome(verdict, first);
            }
        }

        Extend(record);
        if (payload.NamespaceIndex >= _namespaces.Count)
        {
            throw new InvalidDataException($"The log holds increments of namespace {payload.NamespaceIndex} at {position}, before its definition.");
        }

        NamespaceState owner = _namespaces[payload.NamespaceIndex];
        owner.Weight += payload.Weight;
        _window = _window with { Increments = _window.Increments + payload.Count + distinct };
        Named(owner, payload);
        SaveCounted(owner, payload, elements, record.Kind == RecordKind.Elements);
        sink.Counted(owner, payload, _window);
        if (record.Kind == RecordKind.Elements)
        {
            sink.CountedElements(owner, elements, _window);
        }

        return new FoldOutcome(SequenceVerdict.Fresh, position);
    }

    // A window never spans an hour, so that its sums belong to one hour of history. The cut comes before anything of the record is taken in: at
    // WindowClosed the fold is exactly what it is at the window's last position, and can be saved as that.
    private void CutAtHour<TSink>(in LoggedRecord record, TSink sink)
        where TSink : IFoldSink
    {
        if (!_window.IsEmpty && _window.FirstTimeMs / HourMs != record.TimeMs / HourMs)
        {
            Close(record.Position - 1, sink);
        }
    }

    private void Extend(in LoggedRecord record) => _window = _window with
    {
        To = record.Position,
        FirstTimeMs = _window.IsEmpty ? record.TimeMs : _window.FirstTimeMs,
        LastTimeMs = record.TimeMs,
    };

    private void Close<TSink>(long to, TSink sink)
        where TSink : IFoldSink
    {
        // All folds close windows at the same positions, so they forget the same.
        Producers.Forget(_window.LastTimeMs - (long)EngineLimits.ProducerMemory.TotalMilliseconds);
        WindowSpan closed = _window with { To = to };
        _window = new WindowSpan(to + 1, to, 0, 0, 0, 0);
        sink.WindowClosed(closed);
    }

    /// <summary>False when a counter is of another kind: two definitions were on their way at once, and the first one holds.</summary>
    private bool Define<TSink>(DefinitionRecord record, long position, TSink sink)
        where TSink : IFoldSink
    {
        if (record.Namespace is { } definition)
        {
            if (!_byName.TryGetValue(definition.Name, out NamespaceState? state))
            {
                _byName.Add(definition.Name, state = new NamespaceState(_namespaces.Count, definition));
                _namespaces.Add(state);
            }
            else
            {
                if (state.Redefine(definition, position))
                {
                    LastTierChange = position;
                }

                if (definition.Name == Expiring.Namespace)
                {
                    Expiring.SaveAll(); // their lifetime may be another one now
                }
            }

            sink.Defined(state);
            return true;
        }

        if (record.Counter is { } counter && _byName.TryGetValue(counter.Namespace, out NamespaceState? owner))
        {
            return DefineCounter(owner, counter.Definition, counter.Generation ?? position, position, sink);
        }

        throw new InvalidDataException($"The log holds a definition at {position} that defines nothing known.");
    }

    private bool DefineCounter<TSink>(NamespaceState owner, CounterDefinition definition, long generation, long position, TSink sink)
        where TSink : IFoldSink
    {
        ulong id = CounterId.Of(owner.Definition.Name, definition.Name);
        Tier before = owner.Definition.Tier;
        if (_counters.TryGetValue(id, out CounterState? state))
        {
            if (state.Kind != definition.Kind)
            {
                return false;
            }

            before = state.Tier;
            state.Redefine(definition);
        }
        else
        {
            _counters.Add(id, state = new CounterState(owner, definition, generation));
            MadeAgain(id);
            if (definition.Kind != CounterKind.Sum)
            {
                _lastOfOtherKind = position;
            }
        }

        Expiring.Save(id);
        if (before != state.Tier)
        {
            LastTierChange = position;
            if (before == Tier.Approximate)
            {
                state.LeaveApproximate(position);
            }
        }

        sink.Defined(id, state);
        return true;
    }

    private sealed class NoSink : IFoldSink
    {
        public static readonly NoSink Instance = new();

        public void WindowClosed(in WindowSpan window)
        {
        }

        public void Counted(NamespaceState owner, in IncrementPayload payload, in WindowSpan window)
        {
        }

        public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
        {
        }

        public void Removed(NamespaceState owner, ulong id, string name, bool deleted)
        {
        }

        public void ExpiringChanged()
        {
        }

        public void Defined(NamespaceState state)
        {
        }

        public void Defined(ulong id, CounterState state)
        {
        }
    }
}
