using System.Net;
using System.Net.Http.Headers;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Load;

/// <summary>
/// One connection of a load: sends a batch until the node says that it is counted, always with the same producer and sequence, so that a
/// retry after a lost answer counts once. A connection has one batch unanswered at a time, far inside what the node remembers of a producer.
/// </summary>
internal sealed class BatchSender(NodeClient node, LoadOptions options, int connection, LoadProgress progress, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly MediaTypeHeaderValue NdJson = new(ContentTypes.NdJson);

    private readonly string _path = $"{NodeClient.Namespace(options.Namespace)}/increments?producer="
        + Uri.EscapeDataString($"{options.Producer}.{connection}") + "&sequence=";

    /// <summary>Returns once the batch is counted.</summary>
    /// <exception cref="CommandException">The node refused it, or did not answer for longer than the retry time.</exception>
    public async Task SendAsync(LoadBatch batch, CancellationToken cancellationToken)
    {
        long? failing = null;
        TimeSpan pause = FirstPause;
        while (true)
        {
            (bool done, string trouble, TimeSpan? asked) = await TryAsync(batch, cancellationToken).ConfigureAwait(false);
            if (done)
                return;

            failing ??= time.GetTimestamp();
            if (time.GetElapsedTime(failing.Value) >= options.RetryTime)
                throw new CommandException($"{trouble} (gave up after {options.RetryTime.TotalSeconds:0} s of retries; nothing is counted twice when you repeat)");
            progress.WaitBegins();
            await Task.Delay(asked ?? pause, time, cancellationToken).ConfigureAwait(false);
            progress.WaitEnds();
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<(bool Done, string Trouble, TimeSpan? Asked)> TryAsync(LoadBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Post, _path + batch.Sequence) { Content = new ReadOnlyMemoryContent(batch.Body) };
            request.Content.Headers.ContentType = NdJson;
            using HttpResponseMessage response = await node.SendRawAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                IncrementsAnswer? answer = await response.Content
                    .ReadFromJsonAsync(AnswersJson.Readable.IncrementsAnswer, cancellationToken).ConfigureAwait(false);
                if (answer is null || answer.Accepted != batch.Count)
                    throw new CommandException($"the node counted {answer?.Accepted ?? 0} of {batch.Count} increments: the producer {options.Producer} was used for something else; give another with --producer");
                progress.Counted(batch, answer.Duplicate);
                return (true, "", null);
            }

            (string sentence, long? line) = await NodeClient.RefusalAsync(response, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is not (>= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout))
                throw new CommandException(batch.Place(line) is { } place ? $"{place}: {sentence}" : sentence);
            return (false, sentence, response.Headers.RetryAfter?.Delta);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException
            || (failure is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (false, node.Unreachable(failure), null);
        }
    }
}
