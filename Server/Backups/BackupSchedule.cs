using Sketch.Server.Rest;

namespace Sketch.Server.Backups;

/// <summary>Backups of a node that has a folder for them: an incremental one every hour, a full one every day. What fails is tried again in a minute.</summary>
/// <param name="make">Makes one, a full one or not.</param>
/// <param name="folder">Where they are.</param>
/// <param name="time">For when they are due.</param>
/// <param name="logger">For what failed.</param>
internal sealed partial class BackupSchedule(Func<bool, CancellationToken, Task> make, string folder, TimeProvider time, ILogger<BackupSchedule> logger)
{
    /// <summary>Between backups.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>Between full ones.</summary>
    public static readonly TimeSpan FullEvery = TimeSpan.FromDays(1);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>When the newest backup was begun; null before the first.</summary>
    public DateTimeOffset? LastAt { get; private set; } = BackupFolder.List(folder) is [.., { } newest] ? newest.CreatedAt : null;

    /// <summary>True while backups fail.</summary>
    public bool IsFailing { get; private set; }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            DateTimeOffset now = time.GetUtcNow();
            TimeSpan pause = LastAt is { } last && now - last < Every ? last + Every - now : TimeSpan.Zero;
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            try
            {
                DateTimeOffset? full = BackupFolder.List(folder).LastOrDefault(m => m.IsFull)?.CreatedAt;
                now = time.GetUtcNow();
                await make(full is null || now - full >= FullEvery, cancellationToken).ConfigureAwait(false);
                LastAt = now;
                IsFailing = false;
            }
            catch (Exception failure) when (failure is ProblemException or InvalidDataException)
            {
                IsFailing = true;
                LogFailed((failure as ProblemException)?.Problem.Detail ?? failure.Message);
                await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "The scheduled backup failed and is tried again in a minute: {Why}")]
    private partial void LogFailed(string why);
}
