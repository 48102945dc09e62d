using System.Text;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Reads;
using Sketch.Server.Rest;
using Sketch.Storage.Sql;
using Sketch.Storage.Store;

namespace Sketch.Server.Sql;

/// <summary>
/// Cuts of live values for statements: made one at a time, shared by those who ask for the same within a moment, dropped when the last of them has its
/// answer. While a cut is read from the store no window is stored, so that totals and live windows are of one position.
/// </summary>
internal sealed class LiveCuts(CountingEngine engine, ClickHouseStore store, TimeProvider time) : IDisposable
{
    /// <summary>The most counters of one cut.</summary>
    public const int MaxCounters = 1_000_000;

    private const long MaxHeld = 4L * MaxCounters;
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _making = new(1);
    private readonly List<Cut> _cuts = [];

    /// <summary>A cut that has what the statement names; to be returned by <see cref="ReturnAsync"/>.</summary>
    public async Task<Cut> TakeAsync(LiveStatement statement, CancellationToken cancellationToken)
    {
        await _making.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            (CutChoice choice, bool isWhole) = Choose(statement);
            double confidence = statement.Confidence ?? ICounterReader.DefaultConfidence;
            Cut? cut = _cuts.Find(c => c.Confidence == confidence && c.Choice.Namespaces.SequenceEqual(choice.Namespaces) && Same(c.Choice.Names, choice.Names) && time.GetElapsedTime(c.MadeAt) < Fresh);
            if (cut is null)
            {
                long held = _cuts.Sum(c => (long)c.Rows);
                if (held > MaxHeld)
                    throw Busy($"{held} values are held for other statements");
                cut = await MakeAsync(choice, isWhole, confidence, cancellationToken).ConfigureAwait(false);
                _cuts.Add(cut);
            }

            cut.Users++;
            return cut;
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>The statement has its answer.</summary>
    public async Task ReturnAsync(Cut cut)
    {
        await _making.WaitAsync().ConfigureAwait(false);
        try
        {
            cut.Users--;
            foreach (Cut old in _cuts.Where(c => c.Users == 0 && (ReferenceEquals(c, cut) || time.GetElapsedTime(c.MadeAt) >= Fresh)).ToArray())
            {
                _cuts.Remove(old);
                await store.DropCutAsync(old.Table, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (CheckpointStoreException)
        {
            // ClickHouse is away, and with it the tables in its memory; the next start of a store drops what is left of them.
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>There is no cut now.</summary>
    public static ProblemException Busy(string why) => new(
        Problem.Of(503, "live-values-busy", "No cut of live values", "live_values", why, "a retry in a few seconds") with { RetryAfterSeconds = 2 });

    /// <inheritdoc/>
    public void Dispose() => _making.Dispose();

    private static bool Same(IReadOnlyList<string>? a, IReadOnlyList<string>? b) => a is null || b is null ? a is null && b is null : a.SequenceEqual(b);

    // The namespaces that the statement names, or all; of those with too many counters only the counters that it names.
    private (CutChoice Choice, bool IsWhole) Choose(LiveStatement statement)
    {
        NamespaceStatus[] all = [.. engine.Namespaces];
        NamespaceStatus[] named = [.. all.Where(n => statement.Literals.Contains(n.Definition.Name))];
        NamespaceStatus[] chosen = named.Length > 0 ? named : all;
        string[] namespaces = [.. chosen.Select(n => n.Definition.Name)];
        return chosen.Sum(n => n.Counters) <= MaxCounters
            ? (new CutChoice(namespaces, null), chosen.Length == all.Length)
            : (new CutChoice(namespaces, [.. statement.Literals.Except(namespaces, StringComparer.Ordinal).Order(StringComparer.Ordinal)]), false);
    }

    private async Task<Cut> MakeAsync(CutChoice choice, bool isWhole, double confidence, CancellationToken cancellationToken)
    {
        LiveCut values = await ReadAsync(choice, confidence, cancellationToken).ConfigureAwait(false);
        return new Cut(await store.WriteCutAsync(values, isWhole, cancellationToken).ConfigureAwait(false), choice, confidence, values.Rows.Count, time.GetTimestamp());
    }

    private async Task<LiveCut> ReadAsync(CutChoice choice, double confidence, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            using (StorePause pause = await store.PauseAsync(engine.LogIdentity, cancellationToken).ConfigureAwait(false))
            {
                List<StoredCounter> stored = await store.ReadCountersAsync(pause, choice, cancellationToken).ConfigureAwait(false);
                if (choice.Names is { } names)
                    AddMissing(stored, choice.Namespaces, names);
                // A window that was just stored becomes part of what readers see a moment later.
                for (int i = 0; i < 50; i++)
                {
                    if (engine.CutAt(pause.Position, choice.Namespaces, stored, choice.Names is null, confidence) is { } cut)
                        return cut;
                    await Task.Delay(TimeSpan.FromMilliseconds(2), time, cancellationToken).ConfigureAwait(false);
                }
            }

            if (time.GetElapsedTime(started) > Patience)
                throw Busy("the store and what readers see did not meet");
        }
    }

    // Counters that only live windows know: their stored total is zero.
    private static void AddMissing(List<StoredCounter> stored, IReadOnlyList<string> namespaces, IReadOnlyList<string> names)
    {
        HashSet<ulong> known = [.. stored.Select(c => c.Id)];
        foreach (string space in namespaces)
        {
            foreach (string name in names)
            {
                if (CounterId.Of(space, name) is var id && known.Add(id))
                    stored.Add(new StoredCounter(space, Encoding.UTF8.GetBytes(name), id, 0));
            }
        }
    }

    /// <summary>A cut in ClickHouse.</summary>
    internal sealed class Cut(string table, CutChoice choice, double confidence, int rows, long madeAt)
    {
        public string Table => table;

        public CutChoice Choice => choice;

        public double Confidence => confidence;

        public int Rows => rows;

        public long MadeAt => madeAt;

        /// <summary>Statements that read it; changed under the maker's lock.</summary>
        public int Users { get; set; }
    }
}
