using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Sketch.Server.Backups;
using Sketch.Server.Rest;

namespace Sketch.Tests.Server;

/// <summary>When backups of <c>sketch serve --backup</c> are made, by a clock that the test moves.</summary>
public sealed class BackupScheduleTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 25, 3, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("sketch-schedule-").FullName;
    private readonly FakeTimeProvider _time = new(Start);
    private readonly List<(DateTimeOffset At, bool Full)> _made = [];
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task A_full_one_comes_every_day_and_an_incremental_one_every_hour_between()
    {
        Task work = Schedule(Make).RunAsync(_stop.Token);
        for (int hour = 0; hour <= 49; hour++)
        {
            await MadeAsync(hour + 1);
            _time.Advance(TimeSpan.FromHours(1));
        }

        await EndAsync(work);
        Assert.Equal([0, 24, 48], _made.Where(m => m.Full).Select(m => (int)(m.At - Start).TotalHours));
        Assert.Equal(Enumerable.Range(0, 50), _made.Take(50).Select(m => (int)(m.At - Start).TotalHours));
    }

    [Fact]
    public async Task A_node_that_starts_again_goes_on_from_the_backups_that_are_there()
    {
        Write(Start.AddHours(-5), full: true);
        Write(Start.AddMinutes(-20), full: false);
        BackupSchedule schedule = Schedule(Make);
        Assert.Equal(Start.AddMinutes(-20), schedule.LastAt);
        Task work = schedule.RunAsync(_stop.Token);
        _time.Advance(TimeSpan.FromMinutes(39));
        Assert.Empty(_made);
        _time.Advance(TimeSpan.FromMinutes(1));
        await MadeAsync(1);
        Assert.Equal((Start.AddMinutes(40), false), _made[0]);
        Assert.Equal(Start.AddMinutes(40), schedule.LastAt);
        await EndAsync(work);
    }

    [Fact]
    public async Task A_full_one_that_is_a_day_old_is_followed_by_a_full_one_at_once()
    {
        Write(Start.AddDays(-1), full: true);
        Write(Start.AddHours(-2), full: false);
        Task work = Schedule(Make).RunAsync(_stop.Token);
        await MadeAsync(1);
        Assert.Equal((Start, true), _made[0]);
        await EndAsync(work);
    }

    [Fact]
    public async Task What_fails_is_tried_again_in_a_minute_and_said()
    {
        int tries = 0;
        BackupSchedule schedule = Schedule(full => ++tries <= 2 ? throw new ProblemException(Problem.Of(400, "backup-failed", "No backup", "directory", "full", "a disk with room")) : Make(full));
        Task work = schedule.RunAsync(_stop.Token);
        await UntilAsync(() => schedule.IsFailing);
        Assert.Null(schedule.LastAt);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, tries);
        _time.Advance(TimeSpan.FromSeconds(1));
        await UntilAsync(() => tries == 2);
        _time.Advance(TimeSpan.FromMinutes(1));
        await MadeAsync(1);
        await UntilAsync(() => !schedule.IsFailing);
        Assert.Equal((Start.AddMinutes(2), true), _made[0]);
        await EndAsync(work);
    }

    public void Dispose()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private BackupSchedule Schedule(Func<bool, Task> make) => new((full, _) => make(full), _folder, _time, NullLogger<BackupSchedule>.Instance);

    private Task Make(bool full)
    {
        Write(_time.GetUtcNow(), full);
        lock (_made)
        {
            _made.Add((_time.GetUtcNow(), full));
        }

        return Task.CompletedTask;
    }

    private void Write(DateTimeOffset at, bool full)
    {
        string name = $"{at:yyyyMMdd'T'HHmmssfff'Z'}-{(full ? "full" : "incremental")}";
        Directory.CreateDirectory(Path.Combine(_folder, name));
        new BackupManifest(BackupManifest.CurrentVersion, name, full, null, at, "0000000000000001", 0, 1, 1, 1, 1, 1, "test").Write(Path.Combine(_folder, name));
    }

    private Task MadeAsync(int count) => UntilAsync(() =>
    {
        lock (_made)
        {
            return _made.Count >= count;
        }
    });

    private static async Task UntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        while (!condition())
        {
            await Task.Delay(5, deadline.Token);
        }

        // What follows the condition in the schedule's own step is its next wait: it has to stand before the clock is moved.
        await Task.Delay(20, deadline.Token);
    }

    private async Task EndAsync(Task work)
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }
}
