using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Sketch.Engine.Reads;
using Sketch.Realtime;
using Sketch.Server.Rest;
using Spectre.Console;

namespace Sketch.Server.Commands;

/// <summary><c>sketch watch NAMESPACE</c>: live values in the terminal, through the hub that the dashboard uses.</summary>
internal static class WatchCommand
{
    private const int DefaultTop = 10;
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromSeconds(1);

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> @namespace = new("NAMESPACE") { Description = "The namespace." };
        Argument<string[]> names = new("NAME") { Description = "Counters to watch; without any, --prefix or --top.", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> prefix = new("--prefix") { Description = "Watch every counter whose name starts so.", HelpName = "TEXT" };
        Option<int> top = CommonOptions.Whole("--top", "Watch the heaviest", 1, RealtimeLimits.MaxNames, DefaultTop, "-k");
        Option<int> interval = CommonOptions.Whole("--interval", "Milliseconds between frames", RealtimeLimits.MinIntervalMs, RealtimeLimits.MaxIntervalMs, 500);
        Option<int> frames = CommonOptions.Whole("--frames", "Stop after so many frames, 0 for never", 0, int.MaxValue, 0);
        Option<Uri> url = CommonOptions.Url();
        Option<double> confidence = CommonOptions.Confidence();
        Option<bool> json = CommonOptions.Json();
        Command command = new("watch", "Show live values until Ctrl+C; with --json, one frame a line.")
        {
            @namespace, names, prefix, top, interval, frames, url, confidence, json,
        };
        command.Validators.Add(result =>
        {
            int ways = (result.GetValue(names) is { Length: > 0 } ? 1 : 0) + (result.GetValue(prefix) is null ? 0 : 1)
                + (result.GetResult(top) is { Implicit: false } ? 1 : 0);
            if (ways > 1)
                result.AddError("names, --prefix and --top are given together; allowed: one of them");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            string[] wanted = parsed.GetValue(names) ?? [];
            SubscriptionRequest request = new()
            {
                Namespace = parsed.GetRequiredValue(@namespace),
                Names = wanted.Length > 0 ? wanted : null,
                Prefix = parsed.GetValue(prefix),
                Top = wanted.Length == 0 && parsed.GetValue(prefix) is null ? parsed.GetValue(top) : null,
                IntervalMs = parsed.GetValue(interval),
                Confidence = parsed.GetValue(confidence),
            };
            Watcher watcher = new(terminal, request, parsed.GetValue(json), parsed.GetValue(frames));
            return RunAsync(watcher, terminal, parsed.GetRequiredValue(url), cancellationToken);
        });
        return command.WithExamples("sketch watch demo", "sketch watch words the and of", "sketch watch demo --prefix page:/blog --interval 100", "sketch watch demo --top 3 --json --frames 5");
    }

    private static async Task<int> RunAsync(Watcher watcher, Terminal terminal, Uri url, CancellationToken cancellationToken)
    {
        using NodeClient node = new(url);
        // The first contact must work; later ones are repeated, for a node that restarts comes back.
        await watcher.CheckNamespaceAsync(node, cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                try
                {
                    if (await watcher.WatchAsync(url, cancellationToken).ConfigureAwait(false))
                        return ExitCode.Done;
                }
                catch (HubException refused)
                {
                    throw new CommandException(refused.Message);
                }
                catch (Exception lost) when (lost is HttpRequestException or IOException or InvalidOperationException or TimeoutException or System.Net.WebSockets.WebSocketException)
                {
                    await terminal.Error.WriteLineAsync($"sketch: the node does not answer ({lost.Message}); trying again").ConfigureAwait(false);
                }

                await Task.Delay(ReconnectPause, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
    }

    /// <summary>One watch: what is known of the counters, and how it is shown.</summary>
    private sealed class Watcher(Terminal terminal, SubscriptionRequest request, bool json, int maxFrames)
    {
        private readonly Dictionary<string, CounterValue> _values = new(StringComparer.Ordinal);
        private int _frames;

        public async Task CheckNamespaceAsync(NodeClient node, CancellationToken cancellationToken)
        {
            if (!await node.HasNamespaceAsync(request.Namespace!, cancellationToken).ConfigureAwait(false))
                throw new CommandException(Problem.UnknownNamespace(request.Namespace!).Detail);
        }

        /// <summary>Follows one connection.</summary>
        /// <returns>True when enough frames were shown.</returns>
        public async Task<bool> WatchAsync(Uri url, CancellationToken cancellationToken)
        {
            await using HubConnection connection = new HubConnectionBuilder()
                .WithUrl(new Uri(url, RealtimeEndpointExtensions.HubPath))
                .Build();
            await connection.StartAsync(cancellationToken).ConfigureAwait(false);
            _values.Clear();
            IAsyncEnumerable<CounterFrame> stream = connection.StreamAsync<CounterFrame>("Watch", request, cancellationToken);
            if (json || !terminal.IsInteractive)
                return await FollowAsync(stream, Print, cancellationToken).ConfigureAwait(false);

            bool enough = false;
            await ValueTables.Console(terminal.Output, isInteractive: true).Live(Table()).AutoClear(false).StartAsync(async live =>
                enough = await FollowAsync(stream, _ => live.UpdateTarget(Table()), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            return enough;
        }

        private async Task<bool> FollowAsync(IAsyncEnumerable<CounterFrame> stream, Action<CounterFrame> show, CancellationToken cancellationToken)
        {
            await foreach (CounterFrame frame in stream.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                foreach (string name in frame.Removed ?? [])
                    _values.Remove(name);
                foreach (LiveValue value in frame.Values)
                    _values[value.Name] = Of(value);
                show(frame);
                if (++_frames == maxFrames)
                    return true;
            }

            return false;
        }

        private void Print(CounterFrame frame)
        {
            if (json)
            {
                terminal.Output.WriteLine(JsonSerializer.Serialize(frame, JsonSerializerOptions.Web));
            }
            else
            {
                string time = frame.AsOf.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
                foreach (LiveValue value in frame.Values)
                {
                    string bounds = value.Exact ? "exact" : string.Create(CultureInfo.InvariantCulture, $"{value.Lower} to {value.Upper} at {value.Confidence}");
                    terminal.Output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture, $"{time}  {ValueTables.Printable(value.Name)}  {value.Value}  ({bounds})"));
                }
            }

            terminal.Output.Flush();
        }

        private Table Table() => ValueTables.Table(
            request.Names is { } names
                ? names.Where(_values.ContainsKey).Select(name => _values[name])
                : _values.Values.OrderByDescending(v => v.Value).ThenBy(v => v.Name, StringComparer.Ordinal),
            terminal.IsInteractive);

        private static CounterValue Of(LiveValue value) => new(
            value.Namespace, value.Name, value.Kind, value.Tier, value.Value, value.Lower, value.Upper, value.Confidence, value.Exact,
            new DateTimeOffset(value.ExactAsOf, TimeSpan.Zero), value.RatePerSecond, value.Labels);
    }
}
