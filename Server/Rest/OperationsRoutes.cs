using Sketch.Server.Backups;
using Sketch.Server.Hosting;
using Sketch.Server.Verify;

namespace Sketch.Server.Rest;

/// <summary>What operators ask of a node: backups and verifications.</summary>
internal static class OperationsRoutes
{
    private const int DefaultKeep = 30;

    /// <summary>POST /v1/backups.</summary>
    public static async Task BackupAsync(HttpContext context, NodeOperations operations)
    {
        QueryParameters.Require(context.Request);
        ContentTypes.Require(context.Request, ContentTypes.Json);
        using RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        JsonMembers members = JsonMembers.Parse(body.Memory, "directory", "full", "keep");
        string directory = members.Text("directory", "the absolute path of a folder on the node's machine") ?? "";
        if (!Path.IsPathFullyQualified(directory) || directory.Contains('\0', StringComparison.Ordinal))
            throw new ProblemException(Problem.Invalid("directory", directory, "the absolute path of a folder on the node's machine"));
        BackupAnswer answer = await operations.Backups
            .RunAsync(Path.GetFullPath(directory), members.Flag("full") ?? false, members.Whole("keep", 1, 1000) ?? DefaultKeep, context.RequestAborted).ConfigureAwait(false);
        await context.WriteAsync(answer, AnswersJson.Readable.BackupAnswer, StatusCodes.Status201Created).ConfigureAwait(false);
    }

    /// <summary>POST /v1/verify.</summary>
    public static async Task VerifyAsync(HttpContext context, NodeOperations operations)
    {
        QueryParameters.Require(context.Request);
        ContentTypes.Require(context.Request, ContentTypes.Json);
        VerifyAnswer answer = await operations.Verification.RunAsync(context.RequestAborted).ConfigureAwait(false);
        await context.WriteAsync(answer, AnswersJson.Readable.VerifyAnswer).ConfigureAwait(false);
    }
}
