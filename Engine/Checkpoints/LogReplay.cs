using System.Runtime.CompilerServices;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// Computes closed windows once more from the log, as the checkpointer did: the same fold, the same sums. What it says of a window and what the store holds of it
/// must be the same.
/// </summary>
public static class LogReplay
{
    /// <summary>The windows after a kept snapshot, oldest first.</summary>
    /// <param name="log">The log.</param>
    /// <param name="folder">The engine's folder.</param>
    /// <param name="snapshot">The kept snapshot's file; when it is not there, the log is read from its first position.</param>
    /// <param name="upTo">Only windows that end here or before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LogCorruptException">The log is damaged.</exception>
    /// <exception cref="LogTruncatedException">The log no longer goes back to the snapshot.</exception>
    public static async IAsyncEnumerable<ReplayedWindow> WindowsAsync(
        IIncrementLog log, string folder, string snapshot, long upTo, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        LogFold fold = new SnapshotFile(new LinuxDisk(), folder, snapshot).Read()?.ToFold() ?? new LogFold();
        WindowAggregate aggregate = new(log.Identity, fold) { KeepsMembers = true };
        if (fold.Position >= upTo)
        {
            yield break;
        }

        await foreach (LogSlice slice in log.ReadAsync(fold.Position + 1, follow: false, cancellationToken).ConfigureAwait(false))
        {
            List<ReplayedWindow> closed = [];
            using (slice)
            {
                foreach (LoggedRecord record in slice)
                {
                    fold.Apply(record, aggregate);
                    if (aggregate.Take() is { } window && window.Span.To <= upTo)
                    {
                        closed.Add(new ReplayedWindow(window.Checkpoint, [.. window.Restarted.Select(r => r.Id)], window.Members));
                    }
                }
            }

            foreach (ReplayedWindow window in closed)
            {
                yield return window;
            }

            if (fold.Position >= upTo)
            {
                yield break;
            }
        }
    }
}

/// <summary>A window as the log has it.</summary>
/// <param name="Window">Its sums, names, items, and the elements that it saw; without what these changed in their counters.</param>
/// <param name="Restarted">Counters that began anew with it: the store also holds what it took away from them.</param>
/// <param name="Members">The elements that strong and eventual counters saw.</param>
public sealed record ReplayedWindow(Checkpoint Window, IReadOnlyList<ulong> Restarted, IReadOnlyList<StoredMember> Members);
