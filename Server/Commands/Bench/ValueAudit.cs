using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Server.Commands.Bench;

/// <summary>
/// What dashboards showed, compared afterwards with what was counted. At a moment the truth is no less than what was acknowledged before it and no more than what was sent
/// before it: a value is wrong when its bounds hold neither of these nor anything between.
/// </summary>
internal sealed class ValueAudit
{
    private readonly ConcurrentQueue<Batch> _batches = new();
    private readonly ConcurrentQueue<SeenValue> _seen = new();

    /// <summary>A batch, each of its ids incremented by one; not acknowledged when that is <see cref="DateTime.MaxValue"/>.</summary>
    public void Count(ReadOnlyMemory<byte> ids, DateTime sent, DateTime acknowledged) => _batches.Enqueue(new Batch(ids, sent, acknowledged));

    /// <summary>A value that was shown.</summary>
    public void See(SeenValue value) => _seen.Enqueue(value);

    /// <summary>Compares, when nothing is counted or seen any more: a batch is known once it was answered, and values show it before.</summary>
    /// <param name="idOf">A counter's id, by its name.</param>
    public LiveAudit Compare(Func<string, ulong> idOf)
    {
        Batch[] bySent = [.. _batches.OrderBy(batch => batch.Sent)];
        Batch[] byAcknowledged = [.. _batches.OrderBy(batch => batch.Acknowledged)];
        Dictionary<string, ulong> ids = _seen.Select(value => value.Name).Distinct().ToDictionary(name => name, idOf);
        Dictionary<ulong, (long Least, long Most)> truth = ids.Values.ToDictionary(id => id, _ => (0L, 0L));
        Dictionary<(int, string), (SeenValue Value, long Least)> before = [];
        (int sent, int acknowledged) = (0, 0);
        LiveAudit audit = new(0, 0, 0, 0);
        foreach (SeenValue value in _seen.OrderBy(value => value.AsOf))
        {
            for (; sent < bySent.Length && bySent[sent].Sent <= value.AsOf; sent++)
                Add(truth, bySent[sent], least: 0, most: 1);
            for (; acknowledged < byAcknowledged.Length && byAcknowledged[acknowledged].Acknowledged < value.AsOf; acknowledged++)
                Add(truth, byAcknowledged[acknowledged], least: 1, most: 0);
            (long least, long most) = truth[ids[value.Name]];
            bool isCovered = value.Lower <= most && value.Upper >= least;
            audit = audit with { Values = audit.Values + 1, Covered = audit.Covered + (isCovered ? 1 : 0) };

            // Nothing was sent since then, and nothing was on its way then.
            if (before.TryGetValue((value.Watcher, value.Name), out var last) && last.Least == most)
            {
                bool left = value.Value < last.Value.Lower || value.Value > last.Value.Upper;
                audit = audit with { AtRest = audit.AtRest + 1, LeftBounds = audit.LeftBounds + (left ? 1 : 0) };
            }

            before[(value.Watcher, value.Name)] = (value, least);
        }

        return audit;
    }

    private static void Add(Dictionary<ulong, (long Least, long Most)> truth, in Batch batch, int least, int most)
    {
        foreach (ulong id in MemoryMarshal.Cast<byte, ulong>(batch.Ids.Span))
        {
            ref (long Least, long Most) counter = ref CollectionsMarshal.GetValueRefOrNullRef(truth, id);
            if (!Unsafe.IsNullRef(ref counter))
                counter = (counter.Least + least, counter.Most + most);
        }
    }

    private readonly record struct Batch(ReadOnlyMemory<byte> Ids, DateTime Sent, DateTime Acknowledged);
}

/// <summary>What the audit found.</summary>
/// <param name="Values">Values that audited dashboards showed.</param>
/// <param name="Covered">Of these, whose bounds held the truth.</param>
/// <param name="AtRest">Values of a counter that surely did not change since the same dashboard showed it last.</param>
/// <param name="LeftBounds">Of these, outside the bounds shown before.</param>
internal sealed record LiveAudit(long Values, long Covered, long AtRest, long LeftBounds)
{
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Values:N0} values looked at: {(Values == 0 ? 0 : 100.0 * Covered / Values):0.###} % held the truth; {LeftBounds:N0} of {AtRest:N0} left the bounds before them while their counter rested");
}
